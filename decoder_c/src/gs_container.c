#include "gs_container.h"

#include "gs_kinds.h"
#include "gs_residual.h"

GS_CODE_BEGINS

#if GS_WHOLE_TABLES
/* CRC-32 (ISO-HDLC, as zlib has it) of a nibble n: four times (n >> 1) ^ (n & 1 ? 0xEDB88320 : 0). */
static const uint32_t gs_crc_of_nibble[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};
#endif

static const uint16_t gs_rate_of_code[10] = {0, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};

/* Byte by byte, which saves a small program the C library's memset. */
void gs_clear(void *memory, uint32_t bytes)
{
    uint8_t *at = (uint8_t *)memory;

    for (; bytes > 0; bytes--)
        *at++ = 0;
}

uint32_t gs_divide_on(uint32_t rest, uint32_t dividend, uint32_t divisor, uint32_t bits)
{
    uint32_t quotient = 0;

    for (; bits > 0; bits--) {
        rest = rest << 1 | dividend >> 31;
        dividend <<= 1;
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1u;
        }
    }
    return quotient;
}

uint32_t gs_divide(uint32_t dividend, uint32_t divisor)
{
    return gs_divide_on(0, dividend, divisor, 32);
}

uint32_t gs_crc_byte(uint32_t crc, uint32_t byte)
{
    crc ^= byte;
#if GS_WHOLE_TABLES
    crc = (crc >> 4) ^ gs_crc_of_nibble[crc & 15u];
    return (crc >> 4) ^ gs_crc_of_nibble[crc & 15u];
#else
    for (byte = 0; byte < 8; byte++)
        crc = (crc >> 1) ^ (crc & 1u ? 0xEDB88320u : 0u);
    return crc;
#endif
}

void gs_input_open(gs_input *input, const void *memory, gs_read_fn read, void *user, uint32_t size)
{
    input->memory = (const uint8_t *)memory;
    input->read = read;
    input->user = user;
    input->size = size;
    input->offset = 0;
    input->crc = GS_CRC_START;
    input->error = GS_OK;
    input->buffer_offset = 0;
    input->buffered = 0;
}

/* Makes the bytes at the input's offset the buffered ones. */
static int gs_input_fill(gs_input *input)
{
    uint32_t wanted = input->size - input->offset;
    int given;

    if (wanted > GS_INPUT_BYTES)
        wanted = GS_INPUT_BYTES;
    input->buffered = 0;
    input->buffer_offset = input->offset;
    given = input->read(input->user, input->offset, input->buffer, wanted);
    if (given < 0 || (uint32_t)given != wanted)
        return GS_ERR_IO;
    input->buffered = wanted;
    return GS_OK;
}

uint32_t gs_input_byte(gs_input *input)
{
    uint32_t at = input->offset;
    uint32_t byte;

    if (!input->error && at >= input->size)
        input->error = GS_ERR_TRUNCATED;
    if (!input->error && !GS_IS_IN_MEMORY(input) && at - input->buffer_offset >= input->buffered)
        input->error = gs_input_fill(input);
    if (input->error)
        return 0;
    byte = GS_IS_IN_MEMORY(input) ? input->memory[at] : input->buffer[at - input->buffer_offset];
    input->offset = at + 1;
    input->crc = gs_crc_byte(input->crc, byte);
    return byte;
}

uint32_t gs_input_number(gs_input *input, uint32_t bytes)
{
    uint32_t value = 0;
    uint32_t shift;

    for (shift = 0; shift < 8 * bytes; shift += 8)
        value |= gs_input_byte(input) << shift;
    return value;
}

uint32_t gs_input_varint(gs_input *input)
{
    uint32_t value = 0;
    uint32_t shift = 0;
    uint32_t byte;

    do {
        byte = gs_input_byte(input);
        if (!input->error && ((byte == 0 && shift > 0) || (byte > 7 && shift == 28)))
            input->error = GS_ERR_CORRUPT;
        value |= (byte & 127u) << shift;
        shift += 7;
    } while (byte & 128u && !input->error);
    return value;
}

/* A damaged header must not pass for an illegal or unsupported one: the checksum comes before any judgement. */
int gs_header_read(gs_input *input, gs_info *info)
{
    uint32_t magic;
    uint32_t byte;
    uint32_t rate_code;
    uint32_t crc;

    magic = gs_input_number(input, 2);
    byte = gs_input_byte(input);
    if (input->error)
        return input->error;
    if (magic != ('G' | 'S' << 8))
        return GS_ERR_CORRUPT;
    if (byte != GS_FORMAT_VERSION)
        return GS_ERR_VERSION;

    byte = gs_input_byte(input);
    rate_code = byte & 15u;
    info->slot_log2 = (uint8_t)(byte >> 4);
    info->slot_samples = (uint16_t)(1u << info->slot_log2);
    info->kinds = (uint8_t)gs_input_byte(input);
    byte = gs_input_byte(input);
    info->decoder_class.channels = (uint8_t)(1u + (byte & 1u));
    info->decoder_class.panned = info->kinds >> GS_PANNED_BIT & 1u;
    info->has_loop = (byte >> 1) & 1u;
    info->table_set = (uint8_t)(byte >> 2);
    gs_tone_read_header(input, info, 1);
    info->peak_macs = gs_input_varint(input);
    info->seek_slots = gs_input_varint(input);
    info->samples = gs_input_varint(input);
    info->sample_rate = rate_code == 0 ? gs_input_number(input, 4) : rate_code < 10 ? gs_rate_of_code[rate_code] : 0;
    info->loop_start = info->has_loop ? gs_input_varint(input) : 0;
    info->loop_end = info->has_loop ? gs_input_varint(input) : 0;
#define GS_READ_HEADER(name, NAME) gs_##name##_read_header(input, info, info->kinds >> GS_##NAME & 1);
    GS_EACH_OPTIONAL_KIND(GS_READ_HEADER)
    gs_residual_read_header(input, info, info->kinds >> GS_RESIDUAL_BIT & 1u);
    info->direction = (uint8_t)(info->decoder_class.channels > 1 ? gs_input_byte(input) : GS_CENTRE);
    byte = gs_input_number(input, 2u * info->decoder_class.panned);
    info->side_step = (uint8_t)(byte & 255u);
    info->side_base = (int8_t)(uint8_t)(byte >> 8);
    crc = ~input->crc & 0xFFFFu;
    byte = gs_input_number(input, 2);
    info->header_bytes = input->offset;
    if (input->error)
        return input->error;
    if (byte != crc)
        return GS_ERR_CRC;

    if (gs_outside(info->sample_rate, 4000, 96000) || gs_outside(info->slot_log2, 5, 12) || info->samples == 0)
        return GS_ERR_CORRUPT;
    if (info->has_loop && (info->loop_start >= info->loop_end || info->loop_end > info->samples))
        return GS_ERR_CORRUPT;
    if (!(info->kinds >> GS_TONE & 1))
        return GS_ERR_CORRUPT;
#define GS_JUDGE_HEADER(name, NAME)                                                                                    \
    if (info->kinds >> GS_##NAME & 1 && !gs_##name##_header_is_legal(info))                                            \
        return GS_ERR_CORRUPT;
    GS_EACH_KIND(GS_JUDGE_HEADER)
    if (gs_decoder_size(&info->decoder_class) == 0 || !gs_residual_header_is_legal(info) ||
        info->side_step > GS_LARGEST_SIDE_STEP)
        return GS_ERR_CORRUPT;
    if ((info->kinds & ~(1u << GS_RESIDUAL_BIT | 1u << GS_PANNED_BIT)) >> GS_KINDS ||
        info->table_set >= GS_TABLE_SETS || !GS_HAS_TABLE_SET(info->table_set) ||
        (!GS_HAS_STEREO && info->decoder_class.panned) || (!GS_HAS_NOISE && info->kinds >> GS_NOISE & 1) ||
        (!GS_HAS_RESIDUAL && info->decoder_class.residual))
        return GS_ERR_UNSUPPORTED;
    return GS_OK;
}

GS_CODE_ENDS
