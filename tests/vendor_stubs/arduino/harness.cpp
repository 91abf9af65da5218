/* A board on this machine: what is sent to the sound device goes to the standard output, a few bytes at a time. With
 * STUB_BYTES it stops after so many; then a call that would wait fails, and every other one finds no room. */
#include <Arduino.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(ARDUINO_ARCH_RP2040)
#include <PWMAudio.h>
#elif defined(ARDUINO_ARCH_ESP32)
#include <ESP_I2S.h>
#else
#include <I2S.h>
#endif

static bool running;
static size_t sent;

static size_t send(const void *bytes, size_t size)
{
    size_t taken = size < 100 ? size : 100;

    if (!running)
        return 0;
    sent += taken;
    return fwrite(bytes, 1, taken, stdout);
}

#ifdef STUB_BYTES

static bool waits(bool would_wait)
{
    if (would_wait)
        abort();
    return false;
}

/* Every other time there is none. */
static bool has_room()
{
    static bool room;

    room = !room;
    return room;
}

#else

static bool waits(bool) { return true; }
static bool has_room() { return true; }

#endif

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
size_t PWMAudio::write(int16_t val, bool sync) { return waits(sync) || has_room() ? send(&val, sizeof val) : 0; }

#elif defined(ARDUINO_ARCH_ESP32)

void I2SClass::setPins(int8_t, int8_t, int8_t, int8_t, int8_t) {}
bool I2SClass::begin(i2s_mode_t, uint32_t rate, i2s_data_bit_width_t, i2s_slot_mode_t) { return start((long)rate); }
bool I2SClass::end() { return !(running = false); }
size_t I2SClass::write(uint8_t *buffer, size_t size) { return waits(true) ? send(buffer, size) : 0; }
i2s_chan_handle_t I2SClass::txChan() { return nullptr; }

esp_err_t i2s_channel_write(i2s_chan_handle_t, const void *src, size_t size, size_t *written, uint32_t timeout_ms)
{
    *written = waits(timeout_ms > 0) || has_room() ? send(src, size) : 0;
    return *written < size ? -1 : 0;
}

#else

I2SClass I2S;
int I2SClass::begin(int, long sampleRate, int) { return start(sampleRate); }
void I2SClass::end() { running = false; }
static size_t room;

size_t I2SClass::availableForWrite() { return room = has_room() ? 512 : 0; }

/* All that it was asked for room for. */
size_t I2SClass::write(const uint8_t *buffer, size_t size)
{
    size_t written = send(buffer, size);

    while (!waits(size > room) && written < size)
        written += send(buffer + written, size - written);
    return written;
}

#endif

HardwareSerial Serial;
void HardwareSerial::begin(unsigned long) {}
size_t HardwareSerial::print(const char *text) { return (size_t)fputs(text, stderr); }
size_t HardwareSerial::println(const char *text) { return (size_t)fprintf(stderr, "%s\n", text); }
void delay(unsigned long) { (void)waits(true); }

int main()
{
    setup();
#ifdef STUB_BYTES
    while (sent < STUB_BYTES)
#endif
        loop();
    return 0;
}
