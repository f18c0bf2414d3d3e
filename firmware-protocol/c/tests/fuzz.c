/* Any bytes, given to everything that reads some. What it makes of them is written down, to be
 * compared with what the crate makes of them (../../fuzz/src/transcript.rs). */
#include "../gatehouse.h"

#include <stdlib.h>
#include <string.h>

size_t gh_fuzz(const uint8_t *data, size_t length, uint8_t *out, size_t capacity);

typedef struct {
    uint8_t *next;
    uint8_t *end;
} sheet;

static void note(sheet *to, uint8_t byte)
{
    if (to->next == to->end)
        abort();
    *to->next++ = byte;
}

static void frames(const uint8_t *data, size_t length, sheet *to)
{
    gh_decoder decoder;
    gh_frame frame;
    gh_request request;
    memset(&decoder, 0, sizeof decoder);
    for (size_t i = 0; i < length; i++) {
        if (!gh_decoder_push(&decoder, data[i], &frame))
            continue;
        note(to, 'F');
        note(to, frame.address);
        note(to, frame.sequence);
        note(to, frame.kind);
        note(to, frame.length);
        for (size_t j = 0; j < frame.length; j++)
            note(to, frame.payload[j]);
        note(to, gh_barrier_request(&frame, &request));
        note(to, gh_charger_request(&frame, &request));
    }
}

static void command(gh_device *device, const uint8_t *step, uint64_t now_ms, sheet *to)
{
    static const gh_reasons reasons = {GH_CHARGER_REFUSAL_BUSY, GH_CHARGER_REFUSAL_TOO_LONG};
    uint8_t how = step[7];
    gh_command command;
    gh_reply reply;
    command.boot = step[1] & 1;
    command.session = step[2] & 7;
    memset(command.id, step[3], sizeof command.id);
    command.expires_at_ms = (uint64_t)step[4] * 64;
    gh_arrival arrival = {now_ms, (how & 2) != 0, step[5], (how & 1) != 0};
    bool moves = gh_device_judge(device, &command, &arrival, &reasons, &reply);
    if (moves && (how & 4))
        gh_device_refused(device, &reply, GH_CHARGER_REFUSAL_FAULT);
    note(to, 'C');
    note(to, moves);
    note(to, reply.duplicate);
    note(to, reply.verdict);
    note(to, reply.verdict == GH_VERDICT_REFUSED ? reply.reason : 0);
}

static void commands(const uint8_t *data, size_t length, sheet *to)
{
    gh_device device;
    uint64_t now_ms = 0;
    gh_device_start(&device, 1, 0);
    for (; length >= 8; data += 8, length -= 8) {
        now_ms += (uint64_t)data[6] * 16;
        if (data[0] & 7) {
            command(&device, data, now_ms, to);
            continue;
        }
        gh_hello hello = {data[1] & 1, data[2] & 7, (uint64_t)data[4] * 64};
        note(to, 'H');
        note(to, gh_device_hello(&device, &hello, now_ms));
    }
}

/* Fields and seals: nothing to compare, but nothing may be read beyond the end. */
static void message(const char *payload, size_t length)
{
    static const uint8_t key[GH_KEY_BYTES] = {7};
    static const char topic[] = "site/v1/east/locker/hall/cmd/open";
    uint64_t number;
    uint8_t id[16];
    char word[24];
    gh_hello hello;
    gh_command command;
    gh_json_number(payload, length, "door", &number);
    gh_json_uuid(payload, length, "cmd_id", id);
    if (gh_json_word(payload, length, "why", word, sizeof word) && !memchr(word, 0, sizeof word))
        abort();
    gh_json_hello(payload, length, &hello);
    gh_json_command(payload, length, &command, &number);
    if (gh_is_sealed(key, topic, payload, length))
        abort();
    if (length == 0)
        return;
    size_t capacity = length + GH_ENDING_BYTES;
    char *sealed = malloc(capacity);
    if (!sealed)
        abort();
    memcpy(sealed, payload, length);
    if (gh_seal(key, topic, sealed, length, capacity - 1) != 0)
        abort();
    size_t whole = gh_seal(key, topic, sealed, length, capacity);
    if (whole != capacity || !gh_is_sealed(key, topic, sealed, whole))
        abort();
    sealed[length / 2] ^= 1;
    if (gh_is_sealed(key, topic, sealed, whole))
        abort();
    free(sealed);
}

size_t gh_fuzz(const uint8_t *data, size_t length, uint8_t *out, size_t capacity)
{
    sheet to = {out, out + capacity};
    frames(data, length, &to);
    commands(data, length, &to);
    message((const char *)data, length);
    return (size_t)(to.next - out);
}
