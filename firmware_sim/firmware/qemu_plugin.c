/* A TCG plugin for QEMU: counts the blocks of the decoder, from `low` to `high`, and writes the counts to `out` each
 * time that the block at `mark` runs. `code` is a file with what lies from `low` to `high`.
 * Arguments: low=N,high=N,mark=N,code=FILE,out=FILE.
 *
 * Distributions leave qemu-plugin.h out, so what is used of it is declared here. Its ABI has been the same for these
 * since version 1; PLUGIN_VERSION is what the QEMU at hand asks for. */
#include "block_counter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

typedef void (*translated_fn)(qemu_plugin_id_t id, struct qemu_plugin_tb *block);
typedef void (*executed_fn)(unsigned int cpu, void *user);
typedef void (*ended_fn)(qemu_plugin_id_t id, void *user);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_fn callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, executed_fn callback,
                                          enum qemu_plugin_cb_flags flags, void *user);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, ended_fn callback, void *user);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = PLUGIN_VERSION;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

static block_counter counter;
static block_count blocks[BLOCK_SLOTS];
static uint64_t low, high, mark;
static FILE *out;
static uint8_t code[1 << 16];

/* QEMU's own sizes are wrong where it looked at the next instruction to see whether that crosses a page. */
static uint64_t bytes_of(uint64_t address, size_t instructions)
{
    uint64_t at = address - low;

    for (; instructions > 0; instructions--) {
        uint32_t first = at + 1 < sizeof code ? code[at + 1] >> 3 : 0;
        at += first >= 0x1D ? 4 : 2;
    }
    return at - (address - low);
}

static bool read_code(const char *name)
{
    FILE *file = fopen(name, "rb");
    bool whole;

    if (!file)
        return false;
    (void)fread(code, 1, sizeof code, file);
    whole = feof(file) && !ferror(file);
    return fclose(file) == 0 && whole;
}

static void on_decoder_block(unsigned int cpu, void *user)
{
    uint64_t place = (uint64_t)(uintptr_t)user;

    (void)cpu;
    block_ran(&counter, (uint32_t)place, (uint32_t)(place >> 32));
}

static void on_mark(unsigned int cpu, void *user)
{
    uint32_t count = blocks_read(&counter, blocks);

    (void)cpu;
    (void)user;
    if (counter.full) {
        fputs("more blocks ran than can be counted\n", stderr);
        exit(1);
    }
    if (fwrite(&count, sizeof count, 1, out) != 1 || fwrite(blocks, sizeof blocks[0], count, out) != count)
        abort();
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    uint64_t address = qemu_plugin_tb_vaddr(block);

    (void)id;
    if (address >= low && address < high) {
        uint64_t place = bytes_of(address, qemu_plugin_tb_n_insns(block)) << 32 | address;
        qemu_plugin_register_vcpu_tb_exec_cb(block, on_decoder_block, QEMU_PLUGIN_CB_NO_REGS, (void *)(uintptr_t)place);
    } else if (address == mark) {
        qemu_plugin_register_vcpu_tb_exec_cb(block, on_mark, QEMU_PLUGIN_CB_NO_REGS, NULL);
    }
}

static void on_end(qemu_plugin_id_t id, void *user)
{
    (void)id;
    (void)user;
    if (fclose(out) != 0)
        abort();
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    bool known = false;
    int i;

    (void)info;
    for (i = 0; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        if (!value)
            return 1;
        value++;
        if (strncmp(argv[i], "low=", 4) == 0)
            low = strtoull(value, NULL, 0);
        else if (strncmp(argv[i], "high=", 5) == 0)
            high = strtoull(value, NULL, 0);
        else if (strncmp(argv[i], "mark=", 5) == 0)
            mark = strtoull(value, NULL, 0);
        else if (strncmp(argv[i], "code=", 5) == 0)
            known = read_code(value);
        else if (strncmp(argv[i], "out=", 4) == 0)
            out = fopen(value, "wb");
    }
    if (!known || !out || low >= high || mark == 0)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_end, NULL);
    return 0;
}
