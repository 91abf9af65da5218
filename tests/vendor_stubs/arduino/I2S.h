/* The I2S library of SAMD boards and of the second ESP32 core. */
#include <Arduino.h>

typedef enum { I2S_PHILIPS_MODE, I2S_RIGHT_JUSTIFIED_MODE, I2S_LEFT_JUSTIFIED_MODE } i2s_mode_t;

class I2SClass {
  public:
    int begin(int mode, long sampleRate, int bitsPerSample);
    void end();
    size_t availableForWrite();
    size_t write(uint8_t data);
    size_t write(const uint8_t *buffer, size_t size);
    size_t write(const void *buffer, size_t size);
};

extern I2SClass I2S;
