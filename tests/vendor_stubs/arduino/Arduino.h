/* What the sketch uses of Arduino, as its documentation declares it. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>

void setup();
void loop();
void delay(unsigned long ms);

class HardwareSerial {
  public:
    void begin(unsigned long baud);
    size_t print(const char *text);
    size_t println(const char *text);
};

extern HardwareSerial Serial;

#endif
