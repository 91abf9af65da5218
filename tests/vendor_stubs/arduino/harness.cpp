/* A board on this machine: what is sent to the sound device goes to the standard output, a few bytes at a time. */
#include <Arduino.h>
#include <stdio.h>

#if defined(ARDUINO_ARCH_RP2040)
#include <PWMAudio.h>
#elif defined(ARDUINO_ARCH_ESP32)
#include <ESP_I2S.h>
#else
#include <I2S.h>
#endif

static bool running;

static size_t send(const void *bytes, size_t size)
{
    size_t taken = size < 100 ? size : 100;

    return running ? fwrite(bytes, 1, taken, stdout) : 0;
}

static bool start(long sample_rate)
{
    running = !running && sample_rate > 0;
    return running;
}

#if defined(ARDUINO_ARCH_RP2040)

PWMAudio::PWMAudio(uint8_t, bool) {}
bool PWMAudio::begin(long sampleRate) { return start(sampleRate); }
void PWMAudio::end() { running = false; }
void PWMAudio::flush() {}
size_t PWMAudio::write(int16_t val, bool) { return send(&val, sizeof val); }

#elif defined(ARDUINO_ARCH_ESP32)

void I2SClass::setPins(int8_t, int8_t, int8_t, int8_t, int8_t) {}
bool I2SClass::begin(i2s_mode_t, uint32_t rate, i2s_data_bit_width_t, i2s_slot_mode_t) { return start((long)rate); }
bool I2SClass::end() { return !(running = false); }
size_t I2SClass::write(uint8_t *buffer, size_t size) { return send(buffer, size); }

#else

I2SClass I2S;
int I2SClass::begin(int, long sampleRate, int) { return start(sampleRate); }
void I2SClass::end() { running = false; }
size_t I2SClass::write(const uint8_t *buffer, size_t size) { return send(buffer, size); }

#endif

HardwareSerial Serial;
void HardwareSerial::begin(unsigned long) {}
size_t HardwareSerial::print(const char *text) { return (size_t)fputs(text, stderr); }
size_t HardwareSerial::println(const char *text) { return (size_t)fprintf(stderr, "%s\n", text); }
void delay(unsigned long) {}

int main()
{
    setup();
    loop();
    return 0;
}
