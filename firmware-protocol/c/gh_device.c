/* The rules that keep anything from moving twice or late. */
#include "gatehouse.h"

#include <string.h>

void gh_device_start(gh_device *device, uint32_t boot, uint64_t counter)
{
    memset(device, 0, sizeof *device);
    device->boot = boot;
    device->counter = counter;
}

bool gh_device_hello(gh_device *device, const gh_hello *hello, uint64_t now_ms)
{
    if (hello->boot != device->boot || hello->session <= device->session)
        return false;
    device->session = hello->session;
    device->host_ms = hello->now_ms;
    device->own_ms = now_ms;
    return true;
}

static void forget(gh_device *device, uint64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < device->count; i++)
        if (now_ms < device->seen[i].forget_at_ms)
            device->seen[kept++] = device->seen[i];
    device->count = kept;
}

static gh_seen *find(gh_device *device, const uint8_t id[16])
{
    for (size_t i = 0; i < device->count; i++)
        if (!memcmp(device->seen[i].id, id, 16))
            return &device->seen[i];
    return NULL;
}

/* How long a command may still be carried out; 0 where it may not. */
static uint64_t life_ms(const gh_device *device, const gh_command *command,
                        const gh_arrival *arrival)
{
    uint64_t passed = arrival->now_ms > device->own_ms ? arrival->now_ms - device->own_ms : 0;
    uint64_t host_ms = device->host_ms;
    host_ms = passed > UINT64_MAX - host_ms ? UINT64_MAX : host_ms + passed;
    bool ours = command->boot == device->boot && command->session == device->session;
    bool used = arrival->numbered && arrival->counter <= device->counter;
    if (arrival->stale || used || device->session == 0 || !ours ||
        command->expires_at_ms <= host_ms)
        return 0;
    return command->expires_at_ms - host_ms;
}

static bool answer(gh_reply *reply, uint8_t verdict, uint8_t reason)
{
    reply->verdict = verdict;
    reply->reason = reason;
    return verdict == GH_VERDICT_ACCEPTED;
}

bool gh_device_judge(gh_device *device, const gh_command *command, const gh_arrival *arrival,
                     const gh_reasons *reasons, gh_reply *reply)
{
    forget(device, arrival->now_ms);
    memcpy(reply->id, command->id, 16);
    reply->duplicate = false;
    const gh_seen *seen = find(device, command->id);
    if (seen && !arrival->stale) {
        reply->duplicate = true;
        answer(reply, seen->verdict, seen->reason);
        return false;
    }
    uint64_t life = life_ms(device, command, arrival);
    if (life == 0)
        return answer(reply, GH_VERDICT_EXPIRED, 0);
    if (life > GH_MAX_COMMAND_LIFE_MS)
        return answer(reply, GH_VERDICT_REFUSED, reasons->too_long);
    if (device->count == GH_REMEMBERED)
        return answer(reply, GH_VERDICT_REFUSED, reasons->busy);
    if (arrival->numbered)
        device->counter = arrival->counter;
    gh_seen *fresh = &device->seen[device->count++];
    memcpy(fresh->id, command->id, 16);
    fresh->forget_at_ms = arrival->now_ms > UINT64_MAX - life ? UINT64_MAX : arrival->now_ms + life;
    fresh->verdict = GH_VERDICT_ACCEPTED;
    fresh->reason = 0;
    return answer(reply, GH_VERDICT_ACCEPTED, 0);
}

void gh_device_refused(gh_device *device, gh_reply *reply, uint8_t reason)
{
    gh_seen *seen = find(device, reply->id);
    if (seen) {
        seen->verdict = GH_VERDICT_REFUSED;
        seen->reason = reason;
    }
    answer(reply, GH_VERDICT_REFUSED, reason);
}
