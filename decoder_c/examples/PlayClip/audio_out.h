/* Where the sound goes. Another board needs the three functions: audio_start at a sample rate in Hz, audio_out for a
 * block, which waits for room, and audio_stop, which waits until all has been heard; a player, instead of the last two,
 * audio_offer, which takes as many samples of a block as there is room for, says how many, and does not wait.
 *
 *   RP2040, RP2350 (arduino-pico)   pin 0, by PWM: a low-pass, 1 kOhm and 10 nF, and an amplifier
 *   ESP32 (core 3)                  I2S on the pins below: an amplifier with I2S input, such as a MAX98357A
 *   SAMD, ESP32 (core 2)            I2S on the board's own pins */
#ifndef AUDIO_OUT_H
#define AUDIO_OUT_H

#include <Arduino.h>

static const size_t AUDIO_BLOCK = 64;

#if defined(ARDUINO_ARCH_RP2040) && !defined(ARDUINO_ARCH_MBED)

#include <PWMAudio.h>

static PWMAudio audio_device(0);

static inline bool audio_start(uint32_t sample_rate)
{
    return audio_device.begin((long)sample_rate);
}

static inline void audio_out(const int16_t *pcm, size_t samples)
{
    for (size_t place = 0; place < samples; place++)
        audio_device.write(pcm[place]);
}

static inline size_t audio_offer(const int16_t *pcm, size_t samples)
{
    size_t place = 0;

    while (place < samples && audio_device.write(pcm[place], false))
        place++;
    return place;
}

static inline void audio_stop()
{
    audio_device.flush();
    audio_device.end();
}

#else

#if defined(ARDUINO_ARCH_ESP32) && ESP_ARDUINO_VERSION_MAJOR >= 3

#include <ESP_I2S.h>

static const int8_t AUDIO_BCLK = 4, AUDIO_WS = 5, AUDIO_DOUT = 18;
static I2SClass audio_device;

static inline bool audio_start(uint32_t sample_rate)
{
    audio_device.setPins(AUDIO_BCLK, AUDIO_WS, AUDIO_DOUT);
    return audio_device.begin(I2S_MODE_STD, sample_rate, I2S_DATA_BIT_WIDTH_16BIT, I2S_SLOT_MODE_STEREO);
}

static inline size_t audio_send(const uint8_t *bytes, size_t size)
{
    size_t written = 0;

    /* I2SClass::write would wait. */
    (void)i2s_channel_write(audio_device.txChan(), bytes, size, &written, 0);
    return written;
}

#else

#include <I2S.h>

static I2SClass &audio_device = I2S;

static inline bool audio_start(uint32_t sample_rate)
{
    return audio_device.begin(I2S_PHILIPS_MODE, (long)sample_rate, 16);
}

static inline size_t audio_send(const uint8_t *bytes, size_t size)
{
    return (size_t)audio_device.availableForWrite() < size ? 0 : audio_device.write(bytes, size);
}

#endif

/* The same on both channels, for amplifiers differ in which of them they take. */
static inline void audio_double(const int16_t *pcm, size_t samples, int16_t (*frames)[2])
{
    for (size_t place = 0; place < samples; place++)
        frames[place][0] = frames[place][1] = pcm[place];
}

static inline size_t audio_offer(const int16_t *pcm, size_t samples)
{
    int16_t frames[AUDIO_BLOCK][2];

    audio_double(pcm, samples, frames);
    return audio_send(reinterpret_cast<const uint8_t *>(frames), samples * sizeof frames[0]) / sizeof frames[0];
}

static inline void audio_out(const int16_t *pcm, size_t samples)
{
    int16_t frames[AUDIO_BLOCK][2];
    uint8_t *bytes = reinterpret_cast<uint8_t *>(frames);
    size_t left = samples * sizeof frames[0];

    audio_double(pcm, samples, frames);
    while (left > 0) {
        size_t written = audio_device.write(bytes, left);

        bytes += written;
        left -= written;
    }
}

/* Silence pushes the last samples out of the driver's buffers, of 1440 frames at most. */
static inline void audio_stop()
{
    const int16_t silence[AUDIO_BLOCK] = {0};

    for (size_t sent = 0; sent < 1440; sent += AUDIO_BLOCK)
        audio_out(silence, AUDIO_BLOCK);
    audio_device.end();
}

#endif

#endif
