/* The PWM library of arduino-pico. */
#include <Arduino.h>

class PWMAudio {
  public:
    PWMAudio(uint8_t pin = 0, bool stereo = false);
    bool begin(long sampleRate);
    void end();
    void flush();
    size_t write(uint8_t x);
    size_t write(int16_t val, bool sync = true);
    size_t write(int val, bool sync = true);
};
