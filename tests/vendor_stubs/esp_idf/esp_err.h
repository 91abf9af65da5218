#ifndef ESP_ERR_H
#define ESP_ERR_H

typedef int esp_err_t;

void stub_abort(void);

#define ESP_OK 0
#define ESP_ERR_TIMEOUT 0x107
#define ESP_ERROR_CHECK(result)                                                                                        \
    do {                                                                                                               \
        if ((result) != ESP_OK)                                                                                        \
            stub_abort();                                                                                              \
    } while (0)

#endif
