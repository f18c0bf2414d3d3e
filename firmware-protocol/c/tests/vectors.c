/* Reads a vector file and does what the crate's test does with it; says what differs. */
#include "../gatehouse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned checked, wrong;
static const char *current;

static void check(bool right, const char *what)
{
    checked++;
    if (!right) {
        wrong++;
        fprintf(stderr, "%s differs: %s\n", what, current);
    }
}

/* The value of a key in a line, in a buffer that the next call overwrites. */
static const char *text(const char *key)
{
    static char value[2048];
    char wanted[64];
    snprintf(wanted, sizeof wanted, " %s=", key);
    const char *found = strstr(current, wanted);
    if (!found) {
        fprintf(stderr, "no %s in: %s\n", key, current);
        exit(2);
    }
    found += strlen(wanted);
    size_t length = strcspn(found, " \n");
    if (length >= sizeof value)
        exit(2);
    memcpy(value, found, length);
    value[length] = 0;
    return value;
}

static uint64_t number(const char *key) { return strtoull(text(key), NULL, 10); }
static bool flag(const char *key) { return number(key) != 0; }

static size_t bytes(const char *key, uint8_t *out, size_t most)
{
    const char *digits = text(key);
    size_t length = strlen(digits) / 2;
    for (size_t i = 0; i < length && i < most; i++) {
        unsigned byte;
        sscanf(digits + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
    return length;
}

static void three(const char *key, uint32_t out[3])
{
    sscanf(text(key), "%" SCNu32 ",%" SCNu32 ",%" SCNu32, &out[0], &out[1], &out[2]);
}

/* The frame on the line, which must be one and no more. */
static gh_frame frame_on_line(uint8_t line[GH_MAX_ON_LINE], size_t *length)
{
    gh_decoder decoder;
    gh_frame frame, found;
    unsigned frames = 0;
    memset(&decoder, 0, sizeof decoder);
    memset(&found, 0, sizeof found);
    *length = bytes("line", line, GH_MAX_ON_LINE);
    for (size_t i = 0; i < *length; i++)
        if (gh_decoder_push(&decoder, line[i], &frame)) {
            found = frame;
            frames++;
        }
    check(frames == 1, "the number of frames");
    return found;
}

static void check_line(const gh_frame *frame, const uint8_t *line, size_t length)
{
    uint8_t own[GH_MAX_ON_LINE];
    size_t written = gh_frame_encode(frame, own);
    check(written == length && !memcmp(own, line, length), "the frame");
}

static void check_request(const char *what, const gh_frame *frame)
{
    gh_request request;
    uint8_t id[16];
    bool charger = !strncmp(what, "charger.", 8);
    bool read = charger ? gh_charger_request(frame, &request) : gh_barrier_request(frame, &request);
    check(read, "the kind");
    what += 8;
    if (!strcmp(what, "poll")) {
        check(request.type == GH_POLL, "the poll");
    } else if (!strcmp(what, "hello")) {
        check(request.type == GH_HELLO && request.hello.boot == number("boot"), "boot");
        check(request.hello.session == number("session"), "session");
        check(request.hello.now_ms == number("now_ms"), "now_ms");
    } else {
        bytes("id", id, sizeof id);
        check(request.type == GH_COMMAND && !memcmp(request.command.id, id, 16), "id");
        check(request.command.boot == number("boot"), "boot");
        check(request.command.session == number("session"), "session");
        check(request.command.expires_at_ms == number("expires_at_ms"), "expires_at_ms");
        if (!strcmp(what, "enable") || !strcmp(what, "limit")) {
            check(request.allowance.limit_ma == number("limit_ma"), "limit_ma");
            check(request.allowance.lease_s == number("lease_s"), "lease_s");
            check(request.allowance.fallback_ma == number("fallback_ma"), "fallback_ma");
        }
    }
}

static void check_reply(const char *what, gh_frame *frame)
{
    gh_reply reply;
    bytes("id", reply.id, sizeof reply.id);
    reply.duplicate = flag("duplicate");
    reply.verdict = (uint8_t)number("verdict");
    reply.reason = (uint8_t)number("reason");
    if (!strncmp(what, "charger.", 8))
        gh_charger_reply_encode(&reply, frame);
    else
        gh_barrier_reply_encode(&reply, frame);
}

static void barrier_status(gh_frame *frame)
{
    gh_barrier_status status;
    status.boot = (uint32_t)number("boot");
    status.session = (uint32_t)number("session");
    status.uptime_s = (uint32_t)number("uptime_s");
    status.arm = (uint8_t)number("arm");
    status.power = (uint8_t)number("power");
    status.under_arm = flag("under_arm");
    status.in_front = flag("in_front");
    status.fire = flag("fire");
    status.under_arm_count = (uint16_t)number("under_arm_count");
    status.in_front_count = (uint16_t)number("in_front_count");
    status.press = (uint32_t)number("press");
    gh_barrier_status_encode(&status, frame);
}

static void charger_status(gh_frame *frame)
{
    gh_charger_status status;
    status.boot = (uint32_t)number("boot");
    status.session = (uint32_t)number("session");
    status.uptime_ms = number("uptime_ms");
    status.pilot = (uint8_t)number("pilot");
    status.fault = (uint8_t)number("fault");
    status.enabled = flag("enabled");
    status.closed = flag("closed");
    status.limit_ma = (uint32_t)number("limit_ma");
    status.lease_s = (uint16_t)number("lease_s");
    status.plugged_count = (uint16_t)number("plugged_count");
    status.fault_count = (uint16_t)number("fault_count");
    status.has_meter = flag("has_meter");
    status.meter.energy_wh = number("energy_wh");
    status.meter.power_w = (uint32_t)number("power_w");
    three("current_ma", status.meter.current_ma);
    three("voltage_mv", status.meter.voltage_mv);
    gh_charger_status_encode(&status, frame);
}

static void check_message(const char *what)
{
    uint8_t line[GH_MAX_ON_LINE];
    size_t length;
    gh_frame frame = frame_on_line(line, &length);
    check(frame.address == number("address"), "address");
    check(frame.sequence == number("sequence"), "sequence");
    if (strstr(what, ".status")) {
        if (!strcmp(what, "charger.status"))
            charger_status(&frame);
        else
            barrier_status(&frame);
    } else if (strstr(what, ".reply")) {
        check_reply(what, &frame);
    } else {
        check_request(what, &frame);
    }
    check_line(&frame, line, length);
}

static void check_seal(void)
{
    uint8_t key[GH_KEY_BYTES];
    char topic[512], payload[2048], own[2048];
    bytes("key", key, sizeof key);
    strcpy(topic, text("topic"));
    strcpy(payload, text("payload"));
    strcpy(own, text("object"));
    size_t length = strlen(own), whole = strlen(payload);
    check(gh_seal(key, topic, own, length, length) == 0, "a seal without room");
    check(gh_seal(key, topic, own, length, sizeof own) == whole, "the length");
    check(!memcmp(own, payload, whole), "the seal");
    check(gh_is_sealed(key, topic, payload, whole), "the seal that is right");
    for (size_t at = 0; at < whole; at++) {
        payload[at] ^= 1;
        check(!gh_is_sealed(key, topic, payload, whole), "a seal that is wrong");
        payload[at] ^= 1;
        check(!gh_is_sealed(key, topic, payload, at), "a seal that is cut");
    }
}

static const gh_reasons REASONS = {1, 2};

static const char *said(const gh_reply *reply)
{
    static char words[64];
    static const char *const reasons[] = {"unable", "busy", "too_long"};
    const char *verdict = reply->verdict == GH_VERDICT_ACCEPTED ? "accepted"
                          : reply->verdict == GH_VERDICT_EXPIRED ? "expired" : "refused:";
    const char *reason = reply->verdict == GH_VERDICT_REFUSED ? reasons[reply->reason] : "";
    snprintf(words, sizeof words, "%s%s%s", reply->duplicate ? "duplicate:" : "", verdict, reason);
    return words;
}

static void check_judgement(gh_device *device)
{
    gh_command command;
    gh_reply reply;
    gh_arrival arrival = {number("at_ms"), true, number("counter"), flag("stale")};
    bytes("id", command.id, sizeof command.id);
    command.boot = (uint32_t)number("boot");
    command.session = (uint32_t)number("session");
    command.expires_at_ms = number("expires_at_ms");
    bool acts = gh_device_judge(device, &command, &arrival, &REASONS, &reply);
    if (acts)
        check(device->counter == arrival.counter, "the counter");
    if (acts && !flag("able"))
        gh_device_refused(device, &reply, 0);
    const char *says = said(&reply);
    check(!strcmp(says, text("says")), says);
    check(acts == (!strcmp(says, "accepted") || !strcmp(says, "refused:unable")), "what it does");
}

/* What the file cannot hold: the fields of a message over MQTT. */
static void check_json(void)
{
    static const char good[] =
        "{\"cmd_id\":\"10111213-1415-1617-1819-1a1b1c1d1e1f\",\"boot_id\":3735928559,"
        "\"session\":3,\"counter\":1042, \"deadline_ms\" : 126456,\"why\":\"over\",\"on\":true}";
    static const char *const bad[] = {"", "{", "{}", "[]", "{\"counter\":}", "{\"counter\":1",
        "{\"counter\":\"1\"}", "{\"counter\":-1}", "{\"counter\":1.5}", "{\"counter\":1}x",
        "{\"counter\":{\"counter\":1}}", "{\"a\":[1],\"counter\":1}", "{\"counter\"1}",
        "{\"counter\":18446744073709551616}", "{\"a\":\"\\", "{\"a\":\"x\n\",\"counter\":1}"};
    gh_command command;
    uint64_t counter = 0;
    char word[5];
    current = good;
    check(gh_json_command(good, strlen(good), &command, &counter), "the command");
    check(command.boot == 3735928559u && command.session == 3, "boot and session");
    check(command.expires_at_ms == 126456 && counter == 1042, "deadline and counter");
    check(command.id[0] == 0x10 && command.id[15] == 0x1f, "cmd_id");
    check(gh_json_word(good, strlen(good), "why", word, sizeof word) && !strcmp(word, "over"), "why");
    check(!gh_json_word(good, strlen(good), "why", word, 4), "a word without room");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        current = bad[i];
        check(!gh_json_number(bad[i], strlen(bad[i]), "counter", &counter), "what is no number");
    }
}

int main(int argc, char **argv)
{
    static char line[4096];
    gh_device device;
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!file) {
        fprintf(stderr, "usage: vectors FILE\n");
        return 2;
    }
    gh_device_start(&device, 0, 0);
    while (fgets(line, sizeof line, file)) {
        char what[32];
        if (line[0] == '#' || sscanf(line, "%31s", what) != 1)
            continue;
        current = line;
        if (!strncmp(what, "barrier.", 8) || !strncmp(what, "charger.", 8))
            check_message(what);
        else if (!strcmp(what, "seal"))
            check_seal();
        else if (!strcmp(what, "device"))
            gh_device_start(&device, (uint32_t)number("boot"), number("counter"));
        else if (!strcmp(what, "judge.hello")) {
            gh_hello hello = {(uint32_t)number("boot"), (uint32_t)number("session"),
                              number("now_ms")};
            check(gh_device_hello(&device, &hello, number("at_ms")) == flag("taken"), "the hello");
        } else if (!strcmp(what, "judge.command"))
            check_judgement(&device);
        else
            check(false, "a line of an unknown sort");
    }
    fclose(file);
    check_json();
    printf("%u checks, %u differ; a device takes %zu bytes\n", checked, wrong, sizeof device);
    return wrong != 0 || checked < 100;
}
