// modules/tm/ua_dialogs.h - the table of all dialog sets: who a message belongs to, and the door for other
// modules
#pragma once

#include "core/base/guarded.h"
#include "core/json/value.h"
#include "core/module/manifest.h"
#include "modules/tm/dialogs_api.h"
#include "modules/tm/taker.h"
#include "modules/tm/ua_set.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sipyard::tm {

// One per server. Thread-safe.
class UserAgent final : public Dialogs, public RequestTaker, public Watcher {
public:
    static constexpr std::size_t most_sets = 50'000;

    // Both outlive it. Adds itself to tm's watchers; who makes it adds it to the takers.
    UserAgent(Api& tm, Host& host, std::size_t limit = most_sets);
    ~UserAgent() override;

    // --- Dialogs ---
    Result<DialogId> start(const DialogSetup& setup) override;
    Result<Accepted> accept(Request& request, const CalleeSetup& setup) override;
    void again(DialogId set, std::string_view request_uri, std::string_view headers) override;
    void cancel(DialogId set, std::string_view headers) override;
    void bye(DialogId dialog, std::string_view headers, int code) override;
    void ack(DialogId dialog, std::string_view content_type, std::string_view body,
             std::string_view headers) override;
    void prack(DialogId dialog, std::uint32_t rseq, std::string_view content_type, std::string_view body,
               std::uint64_t note) override;
    void request(DialogId dialog, const DialogSend& send) override;
    void reply(DialogId dialog, TransactionId id, const Reply& reply, bool reliable) override;
    void drop(DialogId dialog) override;
    Result<const net::Listener*> socket_for(std::string_view uri) override;
    std::vector<DialogInfo> list(std::size_t most, std::uint64_t after) override;
    std::size_t sets() const override { return count_.load(); }

    // --- RequestTaker ---
    bool take(Request& request) override;

    // --- Watcher ---
    Moments wants(Request& request, std::uint64_t& note) override;
    void on(const Happening& happening) override;

    json::Value as_json(); // for the command that lists them; on a fiber

private:
    using Sets =
        std::map<std::uint64_t, std::shared_ptr<DialogSet>>; // shared with jobs on their way to its strand
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using Tags = std::unordered_map<std::string, std::shared_ptr<DialogSet>, Hash, std::equal_to<>>;
    static constexpr std::size_t shards = 16;

    bool may_be_ours(Request& request, std::string_view tag) const;
    std::shared_ptr<DialogSet> find(std::string_view local_tag, std::string_view call_id);
    std::shared_ptr<DialogSet> find(std::uint64_t id);
    bool take_ack(Request& request, DialogSet& set);
    bool take_cancel(Request& request, bool in_dialog);
    Result<std::string> contact_for(std::string_view contact, std::string_view user,
                                    const net::Listener* socket) const;
    Result<void> add(const std::shared_ptr<DialogSet>& set);
    void forget(std::uint64_t id);
    void with(DialogId dialog, std::function<void(DialogSet&)> job);

    const std::size_t limit_;
    const std::string prefix_;       // of the tags of sets that call
    const Slot<std::uint64_t> slot_; // the set a request was given to
    UaCommon common_;
    std::atomic<std::uint64_t> serials_{0};
    std::atomic<std::size_t> count_{0}, callees_{0}; // sets; those that were called
    Guarded<Tags> tags_[shards];
    Guarded<Sets> sets_[shards];
};

} // namespace sipyard::tm
