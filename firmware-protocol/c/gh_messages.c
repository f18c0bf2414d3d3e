/* Payloads: little-endian fields, in order, without padding. */
#include "gatehouse.h"

#include <string.h>

typedef struct {
    const uint8_t *next;
    size_t left;
    bool whole;
} reader;

static uint64_t take(reader *in, size_t bytes)
{
    uint64_t value = 0;
    if (in->left < bytes) {
        in->whole = false;
        in->left = 0;
        return 0;
    }
    for (size_t i = bytes; i > 0; i--)
        value = value << 8 | in->next[i - 1];
    in->next += bytes;
    in->left -= bytes;
    return value;
}

static void take_id(reader *in, uint8_t id[16])
{
    for (int i = 0; i < 16; i++)
        id[i] = (uint8_t)take(in, 1);
}

static void put(gh_frame *frame, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        frame->payload[frame->length++] = (uint8_t)(value >> (8 * i));
}

/* Everything that the two kinds of device have in common; false for a verb of one of them. */
static bool take_common(const gh_frame *frame, reader *in, gh_request *request)
{
    memset(request, 0, sizeof *request);
    in->next = frame->payload;
    in->left = frame->length <= GH_MAX_PAYLOAD ? frame->length : GH_MAX_PAYLOAD;
    in->whole = true;
    if (frame->kind == GH_KIND_POLL) {
        request->type = GH_POLL;
        return true;
    }
    if (frame->kind == GH_KIND_HELLO) {
        request->type = GH_HELLO;
        request->hello.boot = (uint32_t)take(in, 4);
        request->hello.session = (uint32_t)take(in, 4);
        request->hello.now_ms = take(in, 8);
        return true;
    }
    return false;
}

static void take_command(const gh_frame *frame, reader *in, gh_request *request)
{
    request->type = GH_COMMAND;
    request->verb = frame->kind;
    request->command.boot = (uint32_t)take(in, 4);
    request->command.session = (uint32_t)take(in, 4);
    take_id(in, request->command.id);
    request->command.expires_at_ms = take(in, 8);
}

bool gh_barrier_request(const gh_frame *frame, gh_request *request)
{
    reader in;
    if (take_common(frame, &in, request))
        return in.whole;
    if (frame->kind != GH_BARRIER_KIND_OPEN && frame->kind != GH_BARRIER_KIND_CLOSE)
        return false;
    take_command(frame, &in, request);
    return in.whole;
}

bool gh_charger_request(const gh_frame *frame, gh_request *request)
{
    reader in;
    if (take_common(frame, &in, request))
        return in.whole;
    switch (frame->kind) {
    case GH_CHARGER_KIND_ENABLE:
    case GH_CHARGER_KIND_LIMIT:
        take_command(frame, &in, request);
        request->allowance.limit_ma = (uint32_t)take(&in, 4);
        request->allowance.lease_s = (uint16_t)take(&in, 2);
        request->allowance.fallback_ma = (uint32_t)take(&in, 4);
        return in.whole;
    case GH_CHARGER_KIND_DISABLE:
        take_command(frame, &in, request);
        return in.whole;
    default:
        return false;
    }
}

void gh_barrier_status_encode(const gh_barrier_status *status, gh_frame *frame)
{
    unsigned inputs = (status->under_arm ? 1u : 0u) | (status->in_front ? 2u : 0u) |
                      (status->fire ? 4u : 0u);
    frame->kind = GH_BARRIER_KIND_STATUS;
    frame->length = 0;
    put(frame, status->boot, 4);
    put(frame, status->session, 4);
    put(frame, status->uptime_s, 4);
    put(frame, status->arm, 1);
    put(frame, status->power, 1);
    put(frame, inputs, 1);
    put(frame, status->under_arm_count, 2);
    put(frame, status->in_front_count, 2);
    put(frame, status->press, 4);
}

void gh_charger_status_encode(const gh_charger_status *status, gh_frame *frame)
{
    static const gh_meter nothing;
    const gh_meter *meter = status->has_meter ? &status->meter : &nothing;
    unsigned flags = (status->enabled ? 1u : 0u) | (status->closed ? 2u : 0u) |
                     (status->has_meter ? 4u : 0u);
    frame->kind = GH_CHARGER_KIND_STATUS;
    frame->length = 0;
    put(frame, status->boot, 4);
    put(frame, status->session, 4);
    put(frame, status->uptime_ms, 8);
    put(frame, status->pilot, 1);
    put(frame, status->fault, 1);
    put(frame, flags, 1);
    put(frame, status->limit_ma, 4);
    put(frame, status->lease_s, 2);
    put(frame, status->plugged_count, 2);
    put(frame, status->fault_count, 2);
    put(frame, meter->energy_wh, 8);
    put(frame, meter->power_w, 4);
    for (int i = 0; i < 3; i++)
        put(frame, meter->current_ma[i], 4);
    for (int i = 0; i < 3; i++)
        put(frame, meter->voltage_mv[i], 4);
}

static void reply_encode(const gh_reply *reply, uint8_t kind, gh_frame *frame)
{
    frame->kind = kind;
    frame->length = 0;
    for (int i = 0; i < 16; i++)
        put(frame, reply->id[i], 1);
    put(frame, reply->duplicate ? 1 : 0, 1);
    put(frame, reply->verdict, 1);
    put(frame, reply->verdict == GH_VERDICT_REFUSED ? reply->reason : 0, 1);
}

void gh_barrier_reply_encode(const gh_reply *reply, gh_frame *frame)
{
    reply_encode(reply, GH_BARRIER_KIND_REPLY, frame);
}

void gh_charger_reply_encode(const gh_reply *reply, gh_frame *frame)
{
    reply_encode(reply, GH_CHARGER_KIND_REPLY, frame);
}

static bool is_offer(uint32_t ma, uint32_t max_ma)
{
    return ma == 0 || (ma >= GH_MIN_OFFER_MA && ma <= max_ma);
}

bool gh_allowance_is_possible(const gh_allowance *allowance, uint32_t max_ma)
{
    return is_offer(allowance->limit_ma, max_ma) && is_offer(allowance->fallback_ma, max_ma) &&
           allowance->lease_s >= 1 && allowance->lease_s <= GH_MAX_LEASE_S;
}
