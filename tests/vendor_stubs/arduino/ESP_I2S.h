/* The I2S library of the third ESP32 core. */
#include <Arduino.h>

typedef enum { I2S_MODE_STD, I2S_MODE_TDM } i2s_mode_t;
typedef enum { I2S_DATA_BIT_WIDTH_8BIT = 8, I2S_DATA_BIT_WIDTH_16BIT = 16 } i2s_data_bit_width_t;
typedef enum { I2S_SLOT_MODE_MONO = 1, I2S_SLOT_MODE_STEREO = 2 } i2s_slot_mode_t;

typedef int esp_err_t;
typedef struct stub_channel *i2s_chan_handle_t;

esp_err_t i2s_channel_write(i2s_chan_handle_t handle, const void *src, size_t size, size_t *written, uint32_t timeout_ms);

class I2SClass {
  public:
    void setPins(int8_t bclk, int8_t ws, int8_t dout, int8_t din = -1, int8_t mclk = -1);
    bool begin(i2s_mode_t mode, uint32_t rate, i2s_data_bit_width_t bits_cfg, i2s_slot_mode_t ch);
    bool end();
    size_t write(uint8_t *buffer, size_t size);
    size_t write(uint8_t d);
    i2s_chan_handle_t txChan();
};
