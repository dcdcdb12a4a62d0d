// modules/pua/pua.h - the presence user agent: publications for other modules, by SIP or in this process
#pragma once

#include "core/json/value.h"
#include "core/module/digest_answer.h"
#include "core/module/module.h"
#include "modules/presence/api.h"
#include "modules/pua/api.h"
#include "modules/pua/record.h"
#include "modules/pua/settings.h"
#include "modules/pua/store.h"
#include "modules/tm/api.h"
#include "modules/uac/api.h"

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sipyard::pua {

enum class Mode : unsigned char { automatic, local, sip };

class Pua final : public Api {
public:
    using Settings = pua::Settings;
    static Manifest<Pua> manifest();
    Pua(const Settings& settings, Host& host);
    ~Pua() override;

    Result<void> publish(const Publication& publication) override;
    void remove(std::string_view presentity, std::string_view event, std::string_view id) override;
    std::vector<Known> left_over(std::string_view event) override;

private:
    struct Key {
        std::string presentity, event, id;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Entry {
        Record record;
        std::string noted_etag;         // as the row in the database has it, or soon will
        Instant noted_expiry = no_time; // the same
        Instant due = no_time;          // as it stands in Table::due
        std::string call_id, from_tag;
        std::uint32_t cseq = 0;
        bool left_over = false; // of an earlier run, not published in this one
        bool write_queued = false;
        std::shared_ptr<DigestSession> digest; // shared with the request in flight; null: no credentials
    };
    struct Table {
        std::map<Key, Entry> entries;
        std::set<std::pair<Instant, const Key*>> due; // keys live in `entries`
        Instant armed = no_time;                      // for when the timer is
    };
    // A request on its way, kept by its callbacks.
    struct Sending {
        Key key;
        Order order;
        std::string call_id, from, to;
        std::uint32_t cseq = 0;
        std::shared_ptr<DigestSession> digest; // shared with the entry
    };
    using SendingPtr = std::shared_ptr<Sending>; // owners: the fiber that sends it, tm's callback

    struct Next {           // what follows a change, without the lock
        SendingPtr sending; // null: nothing is sent
        bool write = false, arm = false;
    };
    // Under the table's lock: takes note of what the record wants next and makes what is to be sent.
    Next settle(Table& table, std::map<Key, Entry>::iterator at, const Order& order);
    void go_on(const Next& next, const Key& key);
    Function<void()> counted(Function<void()> job); // for a fiber that the destructor waits for
    void ended();
    void start(const SendingPtr& sending);
    void arm();     // on worker 0
    void on_time(); // on a fiber

    // --- sending.cpp ---
    void send(const SendingPtr& sending);
    void send_local(const SendingPtr& sending);
    void send_request(const SendingPtr& sending);
    void on_reply(const SendingPtr& sending, const tm::Incoming& in);
    void answered(const Sending& sending, const Answered& answer);
    bool is_local(std::string_view presentity) const;

    // --- keeping ---
    void start_keeping();
    void stored_later(const Key& key);
    void write(const Key& key);

    Result<json::Value> list_command(const json::Value& params);

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    tm::Api& tm_;
    presence::Api* const presence_; // null: not loaded
    uac::Api* const uac_;           // the same
    const Mode mode_;
    const std::unique_ptr<Store> store_; // null without db_url
    Counter &publications_, &sent_, &failed_, &refused_;
    Guarded<Table> table_;
    static constexpr std::size_t write_lanes = 8;
    std::array<task::Strand, write_lanes> writes_; // of one publication in order
    std::unique_ptr<task::Timer> timer_;           // worker 0's
    bool closing_ = false;                         // of worker 0, as the timer
    // Our fibers under way, which the destructor waits for.
    struct Fibers {
        int running = 0;
        std::vector<task::Event> idle; // told when the last one ends
    };
    Guarded<Fibers> fibers_;
};

} // namespace sipyard::pua
