// modules/dialog/keeping.cpp - dialogs that outlive a restart: when they are written, and read again
#include "core/base/text.h"
#include "modules/dialog/dialog.h"

#include <algorithm>

namespace sipyard::dialog {

namespace {

enum Mode : int { nothing = 0, at_once = 1, now_and_then = 2, at_the_end = 3 };

// Seconds since 1970 at which the dialog times out.
std::int64_t end_of(const Facts& facts, const Clock& clock)
{
    if (facts.deadline == Instant{INT64_MAX})
        return clock.unix_seconds();
    return clock.unix_seconds() + (facts.deadline - clock.now()).count() / 1'000'000'000;
}

} // namespace

void Dialogs::start_keeping()
{
    if (!store_)
        return;
    host_.add_table(store_->dialogs());
    host_.add_table(store_->variables());
    if (host_.checking())
        return;
    must(store_->prepare());
    if (!settings_.db_skip_load) {
        auto rows = must(store_->load());
        std::vector<Facts> all;
        const std::int64_t now = host_.clock().unix_seconds();
        for (auto& row : rows) {
            row.facts.deadline = after(std::max<std::int64_t>(row.end - now, 0));
            all.push_back(std::move(row.facts));
        }
        const std::size_t count = restore(std::move(all), Tell::no);
        if (count > 0)
            log_.notice("{} dialogs read from the database", count);
    }
    if (settings_.db_mode == now_and_then) {
        task::Worker& worker = host_.runtime().worker(0);
        const Duration interval = std::chrono::seconds{std::max(settings_.db_update_period, 1)};
        write_timer_ = std::make_unique<task::Timer>(worker, [this, &worker, interval] {
            worker.spawn_always([this, interval, &worker] {
                write_all();
                worker.post([this, interval] { write_timer_->arm_in(interval); });
            });
        });
        worker.post([this, interval] { write_timer_->arm_in(interval); });
    }
    host_.at_stop([this] { write_all(); });
}

std::size_t Dialogs::restore(std::vector<Facts> rows, Tell tell)
{
    std::size_t count = 0;
    for (Facts& row : rows) {
        const CallPtr call = table_.restore(row.dialog.entry, row.dialog.id, row.dialog.call_id);
        if (!call)
            continue; // it is here
        row.dialog.entry = call->entry;
        for (const auto& [profile, value] : row.profiles)
            profiles_.add(profile, value);
        const Dialog now = call->facts.with([&](Facts& facts) {
            const Instant deadline = row.deadline;
            facts = std::move(row);
            facts.appointed = Instant{INT64_MAX};
            set_deadline(call, facts, deadline);
            return facts.dialog;
        });
        active_.add();
        begin_keepalive(call);
        if (tell == Tell::yes)
            host_.announce(DialogChanged{now}, now.call_id);
        ++count;
    }
    return count;
}

// Changes that follow each other closely become one write: the job takes what is there when it runs.
void Dialogs::stored_later(const CallPtr& call)
{
    const bool queue =
        call->facts.with([](Facts& facts) { return !std::exchange(facts.write_queued, true); });
    if (!queue)
        return;
    const auto posted = writes_[call->entry % write_lanes].post([this, call] { write(call); });
    if (!posted) {
        call->facts.with([](Facts& facts) { facts.write_queued = false; });
        log_.error("dialog {} is not stored: {}", call->call_id, posted.error().text);
    }
}

void Dialogs::write(const CallPtr& call)
{
    struct Job {
        Facts facts;
        std::int64_t end = 0;
        bool keep = false, there = false;
    };
    const Job job = call->facts.with([&](Facts& facts) {
        Job out;
        facts.write_queued = false;
        out.there = facts.stored;
        const State state = facts.dialog.state;
        out.keep = facts.changed && (state == State::confirmed || state == State::confirmed_no_ack);
        if (out.keep)
            out.facts = facts, out.end = end_of(facts, host_.clock());
        if (state == State::deleted || out.keep) {
            facts.stored = out.keep;
            facts.changed = false;
        } else {
            out.there = false;
        }
        return out;
    });
    const auto done = job.keep    ? store_->save(job.facts, job.end)
                      : job.there ? store_->remove(call->entry, call->id)
                                  : Result<void>{};
    if (done)
        return;
    log_.error("dialog {} is not stored: {}", call->call_id, done.error().text);
    call->facts.with([&](Facts& facts) { // the next change, or the next round, tries again
        facts.changed = true;
        facts.stored = facts.stored || job.there;
    });
}

void Dialogs::write_all()
{
    table_.each([this](const CallPtr& call) {
        if (call->facts.with(
                [](const Facts& f) { return f.changed || (f.stored && f.dialog.state == State::deleted); }))
            write(call);
        return true;
    });
}

Verdict Dialogs::db_load_callid(Request&, std::string_view call_id)
{
    if (!store_) {
        log_.error("dlg_db_load_callid: db_mode is 0");
        return Verdict::no();
    }
    auto rows = store_->load(call_id);
    if (!rows) {
        log_.error("dlg_db_load_callid: {}", rows.error().text);
        return Verdict::no();
    }
    std::vector<Facts> all;
    for (auto& row : *rows) {
        row.facts.deadline = after(std::max<std::int64_t>(row.end - host_.clock().unix_seconds(), 0));
        all.push_back(std::move(row.facts));
    }
    return Verdict::of(restore(std::move(all), Tell::yes) > 0);
}

Verdict Dialogs::db_load_extra(Request&)
{
    if (!store_) {
        log_.error("dlg_db_load_extra: db_mode is 0");
        return Verdict::no();
    }
    auto rows = store_->load();
    if (!rows) {
        log_.error("dlg_db_load_extra: {}", rows.error().text);
        return Verdict::no();
    }
    std::vector<Facts> all;
    for (auto& row : *rows) {
        row.facts.deadline = after(std::max<std::int64_t>(row.end - host_.clock().unix_seconds(), 0));
        all.push_back(std::move(row.facts));
    }
    (void)restore(std::move(all), Tell::yes);
    return Verdict::yes();
}

} // namespace sipyard::dialog
