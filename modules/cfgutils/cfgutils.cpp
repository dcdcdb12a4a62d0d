// modules/cfgutils/cfgutils.cpp - chance, locks, flags and waiting for the script
#include "core/base/text.h"
#include "core/crypto/digest.h"
#include "core/crypto/random.h"
#include "core/json/value.h"
#include "core/module/module.h"
#include "core/task/keyed_lock.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::cfgutils {

class Cfgutils {
public:
    struct Settings {
        int initial_probability = 10, initial_gflags = 0, lock_set_size = 0, lock_timeout = 10;
        std::string hash_file;
    };
    static Manifest<Cfgutils> manifest();

    Cfgutils(const Settings& settings, Host& host)
        : settings_{settings}, host_{host}, log_{host.logger("cfgutils")},
          held_{host.slot<task::HeldLocks>()}, probability_{settings.initial_probability},
          flags_{static_cast<std::uint32_t>(settings.initial_gflags)}
    {
        if (settings.initial_probability < 0 || settings.initial_probability > 100)
            throw StartupError{
                format("initial_probability {} is not from 0 to 100", settings.initial_probability)};
        if (!settings.hash_file.empty() && !host.checking())
            hash_ = must(hash_of(settings.hash_file));
    }

private:
    using JsonValue = json::Value;

    // --- chance ---
    Verdict rand_event(Request&, std::optional<std::int64_t> percent)
    {
        const std::int64_t limit = percent.value_or(probability_.load(std::memory_order_relaxed));
        return Verdict::of(static_cast<std::int64_t>(crypto::random_below(100)) < limit);
    }
    Verdict rand_set_prob(Request&, std::int64_t percent)
    {
        if (percent < 0 || percent > 100) {
            log_.error("rand_set_prob({}): expected 0 to 100", percent);
            return Verdict::no();
        }
        probability_.store(static_cast<int>(percent), std::memory_order_relaxed);
        return Verdict::yes();
    }
    Verdict rand_reset_prob(Request&)
    {
        probability_.store(settings_.initial_probability, std::memory_order_relaxed);
        return Verdict::yes();
    }
    // The probability is the return code; 0 would end the script and reads as -1.
    Verdict rand_get_prob(Request&)
    {
        const int percent = probability_.load(std::memory_order_relaxed);
        return {percent == 0 ? -1 : percent};
    }

    // --- locks: a name has one holder; the end of the script gives all back ---
    Verdict lock(Request& request, std::string_view name)
    {
        const auto until = host_.clock().now() + std::chrono::seconds{settings_.lock_timeout};
        const auto got = request.at(held_).acquire(locks_, name, until);
        if (!got)
            log_.error("lock: {}", got.error().text);
        return Verdict::of(got.has_value());
    }
    Verdict trylock(Request& request, std::string_view name)
    {
        return Verdict::of(request.at(held_).try_acquire(locks_, name));
    }
    Verdict unlock(Request& request, std::string_view name)
    {
        if (request.at(held_).release(locks_, name))
            return Verdict::yes();
        log_.warn("unlock: '{}' has not been locked by this script", name);
        return Verdict::no();
    }

    // --- waiting: the script stands still, its worker does not ---
    Verdict wait(Duration duration)
    {
        if (duration.count() < 0)
            return Verdict::no();
        if (duration.count() > 0)
            task::sleep_until(host_.clock().now() + duration);
        return Verdict::yes();
    }
    Verdict sleep(Request&, std::int64_t seconds)
    {
        return wait(std::chrono::seconds{std::clamp<std::int64_t>(seconds, -1, 86400)});
    }
    Verdict usleep(Request&, std::int64_t microseconds)
    {
        return wait(std::chrono::microseconds{std::clamp<std::int64_t>(microseconds, -1, 86'400'000'000)});
    }

    // --- global flags ---
    std::optional<std::uint32_t> bit(std::string_view function, std::int64_t flag) const
    {
        if (flag >= 0 && flag < 32)
            return std::uint32_t{1} << flag;
        log_.error("{}({}): expected 0 to 31", function, flag);
        return std::nullopt;
    }
    Verdict set_gflag(Request&, std::int64_t flag)
    {
        const auto mask = bit("set_gflag", flag);
        if (mask)
            flags_.fetch_or(*mask);
        return Verdict::of(mask.has_value());
    }
    Verdict reset_gflag(Request&, std::int64_t flag)
    {
        const auto mask = bit("reset_gflag", flag);
        if (mask)
            flags_.fetch_and(~*mask);
        return Verdict::of(mask.has_value());
    }
    Verdict is_gflag(Request&, std::int64_t flag)
    {
        const auto mask = bit("is_gflag", flag);
        return Verdict::of(mask && (flags_.load() & *mask) != 0);
    }

    // --- the rest ---
    // Runs route[NAME] if there is one and answers with its code.
    Verdict route_if_exists(Request& request, std::string_view name)
    {
        const auto ended = host_.run_route(Route::request, name, request);
        return ended ? *ended : Verdict::no();
    }
    // A script does not end the process: every call in hand would be lost.
    Verdict abort(Request&)
    {
        log_.error("abort() is refused: it would end every call in hand");
        return Verdict::no();
    }
    Verdict memory_status(Request&) // there are no memory pools whose state could be logged
    {
        return Verdict::yes();
    }

    // --- commands ---
    static const JsonValue& first(const JsonValue& params, std::string_view name)
    {
        return params.is_object() ? params[name] : params[std::size_t{0}];
    }
    static Result<std::uint32_t> mask_of(const JsonValue& params)
    {
        const JsonValue& given = first(params, "mask");
        const auto number = given.is_integer() ? std::optional{given.integer()} : parse_int(given.text());
        if (!number || *number < 0 || *number > 0xffffffff)
            return invalid("expected a bit mask of 32 bits");
        return static_cast<std::uint32_t>(*number);
    }
    Result<JsonValue> set_prob_command(const JsonValue& params)
    {
        const JsonValue& given = first(params, "probability");
        const auto percent = given.is_integer() ? std::optional{given.integer()} : parse_int(given.text());
        if (!percent || *percent < 0 || *percent > 100)
            return invalid("expected a probability from 0 to 100");
        probability_.store(static_cast<int>(*percent));
        return JsonValue{*percent};
    }
    Result<JsonValue> reset_prob_command(const JsonValue&)
    {
        probability_.store(settings_.initial_probability);
        return JsonValue{settings_.initial_probability};
    }
    Result<JsonValue> get_prob_command(const JsonValue&) { return JsonValue{probability_.load()}; }
    Result<JsonValue> set_flags_command(const JsonValue& params)
    {
        TRY(const auto mask, mask_of(params));
        return JsonValue{flags_.fetch_or(mask) | mask};
    }
    Result<JsonValue> reset_flags_command(const JsonValue& params)
    {
        TRY(const auto mask, mask_of(params));
        return JsonValue{flags_.fetch_and(~mask) & ~mask};
    }
    Result<JsonValue> is_flags_command(const JsonValue& params)
    {
        TRY(const auto mask, mask_of(params));
        return JsonValue{(flags_.load() & mask) == mask};
    }
    Result<JsonValue> get_flags_command(const JsonValue&) { return JsonValue{flags_.load()}; }
    Result<JsonValue> get_hash_command(const JsonValue&)
    {
        if (hash_.empty())
            return Error{ErrorKind::other, "there is no hash_file"};
        return JsonValue{hash_};
    }
    Result<JsonValue> check_hash_command(const JsonValue&)
    {
        if (hash_.empty())
            return Error{ErrorKind::other, "there is no hash_file"};
        TRY(const std::string now,
            task::blocking(
                host_.runtime().pool(), std::chrono::seconds{10},
                [](const std::string& file) { return hash_of(file); }, settings_.hash_file));
        if (now != hash_)
            return Error{ErrorKind::other, "The actual config file hash is not identical to the stored one."};
        return JsonValue{"The actual config file hash is identical to the stored one."};
    }
    static Result<std::string> hash_of(const std::string& file)
    {
        std::ifstream in{file, std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{in}, {}};
        if (!in)
            return Error{ErrorKind::io, format("hash_file {} cannot be read", file)};
        return crypto::hex_digest(crypto::Algorithm::md5, std::string_view{text});
    }

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const Slot<task::HeldLocks> held_;
    task::KeyedLock locks_;
    std::atomic<int> probability_; // in percent
    std::atomic<std::uint32_t> flags_;
    std::string hash_; // of hash_file at the start; never changes
};

Manifest<Cfgutils> Cfgutils::manifest()
{
    using M = Cfgutils;
    return {
        .name = "cfgutils",
        .about = "Chance, locks, flags and waiting for the script",
        .params = {param("initial_probability", &Settings::initial_probability,
                         "Percent of rand_event at the start"),
                   param("hash_file", &Settings::hash_file,
                         "File whose changes cfgutils.check_config_hash notices"),
                   param("initial_gflags", &Settings::initial_gflags,
                         "Global flags at the start, a bit mask"),
                   param("lock_set_size", &Settings::lock_set_size,
                         "Accepted without effect: every name is a lock of its own"),
                   param("lock_timeout", &Settings::lock_timeout, "Seconds lock() waits at most")},
        .functions = {function("rand_event", &M::rand_event,
                               "True with the probability set, or the one given"),
                      function("rand_set_prob", &M::rand_set_prob, "Sets the probability in percent"),
                      function("rand_reset_prob", &M::rand_reset_prob, "Sets the initial probability again"),
                      function("rand_get_prob", &M::rand_get_prob, "The probability as return code"),
                      function("lock", &M::lock, "Waits until the name is ours"),
                      function("trylock", &M::trylock, "Takes the name if nobody holds it"),
                      function("unlock", &M::unlock, "Gives the name back"),
                      function("sleep", &M::sleep, "Waits that many seconds"),
                      function("usleep", &M::usleep, "Waits that many microseconds"),
                      function("set_gflag", &M::set_gflag, "Sets a global flag"),
                      function("reset_gflag", &M::reset_gflag, "Resets a global flag"),
                      function("is_gflag", &M::is_gflag, "True when the global flag is set"),
                      function("route_if_exists", &M::route_if_exists, "Runs the route if there is one"),
                      function("abort", &M::abort, "Refused"),
                      function("pkg_status", &M::memory_status, "Accepted without effect"),
                      function("pkg_summary", &M::memory_status, "Accepted without effect"),
                      function("shm_status", &M::memory_status, "Accepted without effect"),
                      function("shm_summary", &M::memory_status, "Accepted without effect")},
        .commands = {command("cfgutils.rand_set_prob", &M::set_prob_command, "Sets the probability: PERCENT"),
                     command("cfgutils.rand_reset_prob", &M::reset_prob_command,
                             "Sets the initial probability again"),
                     command("cfgutils.rand_get_prob", &M::get_prob_command, "The probability in percent"),
                     command("cfgutils.set_gflag", &M::set_flags_command, "Sets global flags: MASK"),
                     command("cfgutils.reset_gflag", &M::reset_flags_command, "Resets global flags: MASK"),
                     command("cfgutils.is_gflag", &M::is_flags_command,
                             "Are all flags of the mask set: MASK"),
                     command("cfgutils.get_gflags", &M::get_flags_command, "The global flags as a mask"),
                     command("cfgutils.get_config_hash", &M::get_hash_command,
                             "MD5 of hash_file at the start"),
                     command("cfgutils.check_config_hash", &M::check_hash_command,
                             "Is hash_file what it was at the start")},
    };
}

} // namespace sipyard::cfgutils

SIPYARD_MODULE(sipyard::cfgutils::Cfgutils)
