/* Gives files to the fuzzer's function, without a fuzzer: inputs as they are, and streams (*.bin) behind scripts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SCRIPT_BYTES 32u
#define SCRIPTS 8

static uint8_t input[SCRIPT_BYTES + (1u << 20)];

int main(int argc, char **argv)
{
    uint32_t random = 1;
    int i;

    for (i = 1; i < argc; i++) {
        const char *suffix = strrchr(argv[i], '.');
        FILE *file = fopen(argv[i], "rb");
        size_t size;
        int script;
        if (!file) {
            fprintf(stderr, "cannot read %s\n", argv[i]);
            return 1;
        }
        if (!suffix || strcmp(suffix, ".bin") != 0) {
            size = fread(input, 1, sizeof input, file);
            (void)LLVMFuzzerTestOneInput(input, size);
        } else {
            size = SCRIPT_BYTES + fread(input + SCRIPT_BYTES, 1, sizeof input - SCRIPT_BYTES, file);
            for (script = 0; script < SCRIPTS; script++) {
                uint32_t at;
                for (at = 0; at < SCRIPT_BYTES; at++) {
                    random = random * 1664525u + 1013904223u;
                    input[at] = (uint8_t)(random >> 24);
                }
                (void)LLVMFuzzerTestOneInput(input, size);
            }
        }
        (void)fclose(file);
    }
    return 0;
}
