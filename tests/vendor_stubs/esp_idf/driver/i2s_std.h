/* What the example uses of ESP-IDF's driver, as driver/i2s_common.h and driver/i2s_std.h declare it. */
#include <esp_err.h>
#include <stddef.h>
#include <stdint.h>

typedef struct stub_channel *i2s_chan_handle_t;
typedef enum { GPIO_NUM_NC = -1 } gpio_num_t;
typedef enum { I2S_NUM_AUTO } i2s_port_t;
typedef enum { I2S_ROLE_MASTER } i2s_role_t;
typedef enum { I2S_DATA_BIT_WIDTH_16BIT = 16 } i2s_data_bit_width_t;
typedef enum { I2S_SLOT_MODE_MONO = 1, I2S_SLOT_MODE_STEREO = 2 } i2s_slot_mode_t;

typedef struct {
    i2s_port_t id;
    i2s_role_t role;
    uint32_t dma_desc_num;
    uint32_t dma_frame_num;
} i2s_chan_config_t;

typedef struct {
    struct {
        uint32_t sample_rate_hz;
    } clk_cfg;
    struct {
        i2s_data_bit_width_t data_bit_width;
        i2s_slot_mode_t slot_mode;
    } slot_cfg;
    struct {
        gpio_num_t mclk, bclk, ws, dout, din;
        struct {
            uint32_t mclk_inv : 1;
        } invert_flags;
    } gpio_cfg;
} i2s_std_config_t;

#define I2S_GPIO_UNUSED GPIO_NUM_NC
#define I2S_CHANNEL_DEFAULT_CONFIG(number, of_role) {.id = number, .role = of_role, .dma_desc_num = 6, .dma_frame_num = 240}
#define I2S_STD_CLK_DEFAULT_CONFIG(rate) {.sample_rate_hz = rate}
#define I2S_STD_PHILIPS_SLOT_DEFAULT_CONFIG(width, mode) {.data_bit_width = width, .slot_mode = mode}

esp_err_t i2s_new_channel(const i2s_chan_config_t *chan_cfg, i2s_chan_handle_t *ret_tx, i2s_chan_handle_t *ret_rx);
esp_err_t i2s_del_channel(i2s_chan_handle_t handle);
esp_err_t i2s_channel_init_std_mode(i2s_chan_handle_t handle, const i2s_std_config_t *std_cfg);
esp_err_t i2s_channel_enable(i2s_chan_handle_t handle);
esp_err_t i2s_channel_disable(i2s_chan_handle_t handle);
esp_err_t i2s_channel_write(i2s_chan_handle_t handle, const void *src, size_t size, size_t *written, uint32_t timeout_ms);
