void stub_log(const char *tag, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define ESP_LOGI(tag, ...) stub_log(tag, __VA_ARGS__)
