// modules/dlgs/dlgs.cpp - active calls counted and tagged by the script, without dialog state of a proxy
#include "core/base/text.h"
#include "core/crypto/random.h"
#include "core/json/value.h"
#include "core/module/module.h"
#include "core/sip/message.h"
#include "modules/dlgs/calls.h"
#include "modules/tm/api.h"

#include <algorithm>

namespace sipyard::dlgs {

// Replies are seen in two ways: those of transactions as tm tells, all others as they pass. Both may tell the
// same; a state is entered once.
class Dlgs final : public MessageHook, public tm::Watcher {
public:
    struct Settings {
        int active_lifetime = 10'800, init_lifetime = 180, finish_lifetime = 10,
            timer_interval = 30;     // seconds
        int hash_size = 9;           // the power of two
        int max_dialogs = 1'000'000; // ours
        std::string event_callback;
    };
    static Manifest<Dlgs> manifest();

    Dlgs(const Settings& settings, Host& host)
        : settings_{settings}, host_{host}, log_{host.logger("dlgs")}, lifetimes_{settings.init_lifetime,
                                                                                  settings.active_lifetime,
                                                                                  settings.finish_lifetime},
          calls_{std::size_t{1} << std::clamp(settings.hash_size, 1, 16),
                 static_cast<std::size_t>(std::max(settings.max_dialogs, 1))}
    {
        if (!settings.event_callback.empty())
            log_.warn("parameter event_callback has no effect here");
        host.add_message_hook(*this);
        if (auto* const tm = host.try_service<tm::Api>())
            tm->add_watcher(*this);
        if (!host.checking())
            start_sweeping();
    }
    ~Dlgs() override
    {
        host_.runtime().on_every_worker([this](task::Worker& worker) {
            if (worker.index() == 0)
                timer_.reset();
        });
    }

    bool take_reply(Request& reply) override
    {
        const sip::Message& message = reply.message();
        if (message.cseq() && message.cseq()->method == sip::Method::invite)
            replied(message.call_id(), message.from_tag(), message.to_tag(), message.status());
        return false; // not ours to keep
    }
    tm::Moments wants(Request& request, std::uint64_t&) override
    {
        const sip::Message& message = request.message();
        return message.is_request() && message.method() == sip::Method::invite && message.to_tag().empty() &&
                       calls_.has(message.call_id())
                   ? static_cast<tm::Moments>(tm::Moment::reply_next)
                   : tm::Moments{0};
    }
    void on(const tm::Happening& happening) override
    {
        if (happening.what != tm::Moment::reply_next) // before it leaves: the ACK may be quick
            return;
        if (Request* const known = happening.reply ? happening.reply : happening.request())
            replied(known->message().call_id(), known->message().from_tag(), happening.to_tag,
                    happening.code);
    }

private:
    void replied(std::string_view call_id, std::string_view from_tag, std::string_view to_tag, int code)
    {
        if (code > 100)
            (void)calls_.apply(call_id, from_tag, to_tag,
                               code < 200   ? Event::provisional
                               : code < 300 ? Event::answered
                                            : Event::refused,
                               host_.clock().unix_seconds());
    }

    Verdict init(Request& request, std::string_view src, std::string_view dst, std::string_view data)
    {
        const sip::Message& message = request.message();
        const sip::Method method = message.is_request() ? message.method()
                                   : message.cseq()     ? message.cseq()->method
                                                        : sip::Method::other;
        if (method != sip::Method::invite || message.call_id().empty() || message.from_tag().empty())
            return Verdict::no();
        if (message.is_request() && !message.to_tag().empty())
            return Verdict::no(); // a re-INVITE begins nothing
        Call call;
        call.src = src;
        call.dst = dst;
        call.data = data;
        call.ruid = crypto::random_token(20);
        call.call_id = message.call_id();
        call.from_tag = message.from_tag();
        call.init = call.changed = host_.clock().unix_seconds();
        if (calls_.add(std::move(call)))
            return Verdict::yes();
        if (calls_.has(message.call_id()))
            return Verdict::yes(); // the same call again: a branch, a spiral, a retransmission
        log_.error("dlgs_init: there are {} calls already", calls_.size());
        return Verdict::no();
    }
    Verdict update(Request& request)
    {
        const sip::Message& message = request.message();
        if (!message.is_request())
            return Verdict::no();
        Event event;
        switch (message.method()) {
        case sip::Method::ack: event = Event::ack; break;
        case sip::Method::bye: event = Event::bye; break;
        case sip::Method::cancel: event = Event::cancel; break;
        default: return Verdict::of(calls_.has(message.call_id()));
        }
        return Verdict::of(calls_.apply(message.call_id(), message.from_tag(), message.to_tag(), event,
                                        host_.clock().unix_seconds()));
    }
    Verdict count(Request&, std::string_view field, std::string_view op, std::string_view value)
    {
        const auto filter = Filter::make(field, op, value);
        if (!filter) {
            log_.error("dlgs_count: {}", filter.error().text);
            return Verdict::no();
        }
        return as_code(calls_.count(*filter));
    }
    static Verdict as_code(std::size_t number)
    {
        return number == 0 ? Verdict::no() : Verdict{static_cast<int>(number)};
    }
    Verdict tags_add(Request& request, std::string_view tag)
    {
        return Verdict::of(!tag.empty() && calls_.add_tag(request.message().call_id(), tag));
    }
    Verdict tags_rm(Request& request, std::string_view tag)
    {
        return Verdict::of(calls_.remove_tag(request.message().call_id(), tag));
    }
    Verdict tags_count(Request&, std::string_view tag) { return as_code(calls_.count_tags(tag)); }

    Value part(Request& request, std::string_view part)
    {
        const auto call = calls_.find(request.message().call_id());
        if (!call)
            return {};
        const auto text = [&](const std::string& t) {
            return t.empty() ? Value{} : Value{request.arena().copy(t)};
        };
        if (part == "src")
            return text(call->src);
        if (part == "dst")
            return text(call->dst);
        if (part == "data")
            return text(call->data);
        if (part == "ruid")
            return text(call->ruid);
        if (part == "callid")
            return text(call->call_id);
        if (part == "ftag")
            return text(call->from_tag);
        if (part == "ttag")
            return text(call->to_tag);
        if (part == "its")
            return call->init;
        if (part == "ats")
            return call->answer;
        if (part == "state")
            return static_cast<int>(call->state);
        return {};
    }
    std::optional<VariableSpec::Refusal> check_part(std::string_view part) const
    {
        static const std::vector<std::string_view> known{"src",  "dst",  "data", "ruid", "callid",
                                                         "ftag", "ttag", "its",  "ats",  "state"};
        if (std::find(known.begin(), known.end(), part) != known.end())
            return {};
        return VariableSpec::Refusal{format("unknown part '{}' of $dlgs(...)", part),
                                     std::string{nearest(part, known)}};
    }

    // --- commands ---
    using Json = json::Value;
    static std::string text_of(const Json& params, std::size_t index, std::string_view name)
    {
        const Json& value = params.is_object() ? params[name] : params[index];
        return value.is_integer() ? std::to_string(value.integer()) : std::string{value.text()};
    }
    static Result<Filter> filter_of(const Json& params)
    {
        return Filter::make(text_of(params, 0, "field"), text_of(params, 1, "op"),
                            text_of(params, 2, "data"));
    }
    static Json described(const Call& call, std::size_t number)
    {
        return Json::object()
            .set("count", number)
            .set("src", call.src)
            .set("dst", call.dst)
            .set("data", call.data)
            .set("ruid", call.ruid)
            .set("callid", call.call_id)
            .set("ftag", call.from_tag)
            .set("ttag", call.to_tag)
            .set("ts_init", call.init)
            .set("ts_answer", call.answer)
            .set("state", static_cast<int>(call.state));
    }
    Result<Json> list_command(const Json&)
    {
        Json all = Json::array();
        calls_.each([&](const Call& call) { return all.add(described(call, all.size() + 1)), true; });
        return all;
    }
    Result<Json> briefing_command(const Json&)
    {
        Json all = Json::array();
        calls_.each([&](const Call& call) {
            all.add(Json::object()
                        .set("count", all.size() + 1)
                        .set("src", call.src)
                        .set("dst", call.dst)
                        .set("ts_init", call.init)
                        .set("state", static_cast<int>(call.state)));
            return true;
        });
        return all;
    }
    Result<Json> get_command(const Json& params)
    {
        TRY(const auto filter, filter_of(params));
        Json found;
        calls_.each([&](const Call& call) {
            if (filter.takes(call))
                found = described(call, 1);
            return found.is_null();
        });
        if (found.is_null())
            return Error{ErrorKind::not_found, "Not found"};
        return found;
    }
    Result<Json> getall_command(const Json& params)
    {
        TRY(const auto filter, filter_of(params));
        Json all = Json::array();
        calls_.each([&](const Call& call) {
            if (filter.takes(call))
                all.add(described(call, all.size() + 1));
            return true;
        });
        return all;
    }
    Result<Json> count_command(const Json& params)
    {
        TRY(const auto filter, filter_of(params));
        return Json::object().set("count", calls_.count(filter));
    }
    Result<Json> stats_command(const Json&)
    {
        const auto counts = [](const Calls::Counts& c) {
            const auto of = [&](State state) { return c[static_cast<std::size_t>(state)]; };
            return Json::object()
                .set("init", of(State::init))
                .set("progress", of(State::progress))
                .set("answered", of(State::answered))
                .set("confirmed", of(State::confirmed))
                .set("terminted", of(State::terminated)) // sic: Kamailio's spelling
                .set("notanswered", of(State::notanswered));
        };
        return Json::object().set("final", counts(calls_.final())).set("active", counts(calls_.active()));
    }

    void start_sweeping()
    {
        task::Worker& worker = host_.runtime().worker(0);
        const Duration interval = std::chrono::seconds{std::max(settings_.timer_interval, 1)};
        timer_ = std::make_unique<task::Timer>(worker, [this, interval] {
            calls_.sweep(lifetimes_, host_.clock().unix_seconds());
            timer_->arm_in(interval);
        });
        worker.post([this, interval] { timer_->arm_in(interval); });
    }

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    const Lifetimes lifetimes_;
    Calls calls_;
    std::unique_ptr<task::Timer> timer_; // worker 0's
};

Manifest<Dlgs> Dlgs::manifest()
{
    using M = Dlgs;
    using S = Settings;
    return {
        .name = "dlgs",
        .about = "Active calls counted and tagged by the script",
        .needs = {may_need<tm::Api>()},
        .params = {param("active_lifetime", &S::active_lifetime,
                         "Seconds an answered call is kept from its ACK"),
                   param("init_lifetime", &S::init_lifetime, "Seconds a call is kept until its ACK"),
                   param("finish_lifetime", &S::finish_lifetime, "Seconds a call is kept after its end"),
                   param("timer_interval", &S::timer_interval,
                         "Seconds between two looks for calls that are over"),
                   param("hash_size", &S::hash_size, "Slots of the table, as a power of two, at most 16"),
                   param("max_dialogs", &S::max_dialogs, "Most calls at a time"),
                   param("event_callback", &S::event_callback, "Without effect")},
        .functions = {function("dlgs_init", &M::init, "Begins to count the call of the INVITE in hand",
                               Route::request | Route::branch | Route::onsend | any_reply | Route::failure),
                      function("dlgs_update", &M::update, "Tells of an ACK, BYE or CANCEL",
                               Route::request | Route::branch | Route::onsend),
                      function("dlgs_count", &M::count, "How many calls are going on; -1: none"),
                      function("dlgs_tags_add", &M::tags_add, "Puts a tag on the call"),
                      function("dlgs_tags_rm", &M::tags_rm, "Takes a tag off the call"),
                      function("dlgs_tags_count", &M::tags_count,
                               "How many calls with that tag are going on; -1: none")},
        .variables = {checked(variable("dlgs", &M::part, "A part of the call: $dlgs(src)"), &M::check_part)},
        .commands = {command("dlgs.list", &M::list_command, "All calls"),
                     command("dlgs.briefing", &M::briefing_command, "All calls, fewer fields"),
                     command("dlgs.get", &M::get_command, "The first call by FIELD OP DATA"),
                     command("dlgs.getall", &M::getall_command, "The calls by FIELD OP DATA"),
                     command("dlgs.count", &M::count_command, "How many are going on by FIELD OP DATA"),
                     command("dlgs.stats", &M::stats_command, "How many are, and ever were, in which state")},
    };
}

} // namespace sipyard::dlgs

SIPYARD_MODULE(sipyard::dlgs::Dlgs)
