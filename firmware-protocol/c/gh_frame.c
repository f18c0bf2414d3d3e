/* Frames: COBS between zeros, with a CRC-32 at the end. */
#include "gatehouse.h"

#include <string.h>

#define HEADER 4u
#define CHECK 4u
#define MAX_PLAIN (HEADER + GH_MAX_PAYLOAD + CHECK)

static uint32_t crc32(const uint8_t *bytes, size_t length)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

size_t gh_frame_encode(const gh_frame *frame, uint8_t line[GH_MAX_ON_LINE])
{
    uint8_t plain[MAX_PLAIN];
    size_t length = frame->length <= GH_MAX_PAYLOAD ? frame->length : GH_MAX_PAYLOAD;
    plain[0] = GH_VERSION;
    plain[1] = frame->address;
    plain[2] = frame->sequence;
    plain[3] = frame->kind;
    memcpy(plain + HEADER, frame->payload, length);
    length += HEADER;
    uint32_t check = crc32(plain, length);
    for (int i = 0; i < 4; i++)
        plain[length++] = (uint8_t)(check >> (8 * i));

    /* A frame is shorter than 254 bytes, so that no block of COBS is ever full. */
    size_t code = 1, next = 2;
    line[0] = 0;
    for (size_t i = 0; i < length; i++) {
        if (plain[i] == 0) {
            line[code] = (uint8_t)(next - code);
            code = next++;
        } else {
            line[next++] = plain[i];
        }
    }
    line[code] = (uint8_t)(next - code);
    line[next++] = 0;
    return next;
}

/* Takes COBS out of what was collected, in place; 0 where it is none. */
static size_t uncobs(uint8_t *bytes, size_t length)
{
    size_t from = 0, to = 0;
    while (from < length) {
        size_t code = bytes[from++];
        if (code == 0 || code - 1 > length - from)
            return 0;
        memmove(bytes + to, bytes + from, code - 1);
        to += code - 1;
        from += code - 1;
        if (code != 0xff && from < length)
            bytes[to++] = 0;
    }
    return to;
}

static bool complete(uint8_t *bytes, size_t length, gh_frame *frame)
{
    length = uncobs(bytes, length);
    if (length < HEADER + CHECK || length > MAX_PLAIN)
        return false;
    length -= CHECK;
    uint32_t check = 0;
    for (int i = 3; i >= 0; i--)
        check = check << 8 | bytes[length + (size_t)i];
    if (check != crc32(bytes, length) || bytes[0] != GH_VERSION)
        return false;
    frame->address = bytes[1];
    frame->sequence = bytes[2];
    frame->kind = bytes[3];
    frame->length = (uint8_t)(length - HEADER);
    memcpy(frame->payload, bytes + HEADER, length - HEADER);
    return true;
}

bool gh_decoder_push(gh_decoder *decoder, uint8_t byte, gh_frame *frame)
{
    if (byte != 0) {
        if (decoder->length < sizeof decoder->collected - 2)
            decoder->collected[decoder->length++] = byte;
        else
            decoder->overflowed = true;
        return false;
    }
    bool found = !decoder->overflowed && decoder->length > 0 &&
                 complete(decoder->collected, decoder->length, frame);
    decoder->length = 0;
    decoder->overflowed = false;
    return found;
}
