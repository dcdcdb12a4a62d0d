// modules/presence/resource_publish.cpp - publications of a resource: made, replaced, refreshed, expired,
// merged (RFC 3903 6, spec presence 3)
#include "core/base/format.h"
#include "core/base/text.h"
#include "modules/presence/key.h"
#include "modules/presence/resource.h"

#include <algorithm>

namespace sipyard::presence {
namespace {

constexpr std::int64_t priority_epoch = 1'420'070'400; // 2015-01-01: newer wins, as in Kamailio

int default_priority(std::int64_t unix) { return static_cast<int>(unix - priority_epoch); }

} // namespace

Resource::~Resource() { common_.counts.publications.add(-static_cast<std::int64_t>(kept_.size())); }

Kept* Resource::find_tag(std::string_view etag)
{
    const auto found =
        std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.etag == etag; });
    return found == kept_.end() ? nullptr : &*found;
}

std::vector<Publication> Resource::ordered() const
{
    std::vector<Publication> list;
    list.reserve(kept_.size());
    for (const Kept& kept : kept_)
        if (kept.document)
            list.push_back({kept.etag, kept.sender, kept.document, kept.commit, kept.first_commit,
                            kept.received, kept.priority, kept.expires == Instant{INT64_MAX}});
    if (common_.order == Order::received)
        std::stable_sort(list.begin(), list.end(), [](const Publication& a, const Publication& b) {
            return a.received != b.received ? a.received < b.received : a.first_commit < b.first_commit;
        });
    else
        std::stable_sort(list.begin(), list.end(), [](const Publication& a, const Publication& b) {
            return a.priority != b.priority   ? a.priority > b.priority
                   : a.received != b.received ? a.received > b.received
                                              : a.first_commit > b.first_commit;
        });
    return list;
}

void Resource::merge()
{
    common_.counts.merges.add();
    const CompositePtr before = composite_;
    composite_ = package_.merge(key, ordered(), before);
    if (!before || !(before->hash == composite_->hash))
        composite_commit_ = ++commit_;
}

const CompositePtr& Resource::composite()
{
    if (!composite_)
        merge();
    return composite_;
}

void Resource::commit(Now now, std::string_view skip, Effects& effects)
{
    const std::uint64_t before = composite_commit_;
    merge();
    if (composite_commit_ == before) {
        return; // a refresh, or the same in other words: nobody is told (3.4)
    }
    for (const auto& s : subscriptions_) {
        if (!skip.empty() && s->way.contact.view() == skip) { // its own doing (3.7)
            s->last = current(*s);
            continue;
        }
        s->notifier.changed();
        enqueue(*s);
    }
    effects.more = effects.more || queue_first_ != nullptr;
    (void)now;
}

void Resource::changed(Now now, Effects& effects) { commit(now, {}, effects); }

void Resource::write(const Kept& kept, std::string_view old_etag, Now now, Effects& effects) const
{
    if (!common_.store_publications)
        return;
    const auto [user, domain] = parts_of(key);
    PutPublication put;
    put.old_etag = old_etag;
    put.row.user = user;
    put.row.domain = domain;
    put.row.event = identity;
    put.row.etag = kept.etag;
    put.row.body = kept.body;
    put.row.sender = kept.sender;
    put.row.ruid = kept.ruid;
    put.row.expires =
        kept.expires == Instant{INT64_MAX}
            ? -1
            : now.unix + std::chrono::duration_cast<std::chrono::seconds>(kept.expires - now.at).count();
    put.row.received = kept.received;
    put.row.priority = kept.priority;
    effects.changes.emplace_back(std::move(put));
}

void Resource::erase(Kept& kept, Effects& effects)
{
    if (common_.store_publications) {
        const auto [user, domain] = parts_of(key);
        effects.changes.emplace_back(
            DropPublication{std::string{user}, std::string{domain}, identity, kept.etag});
    }
    kept_.erase(kept_.begin() + (&kept - kept_.data()));
    common_.counts.publications.add(-1);
}

std::variant<Granted, Refusal> Resource::create(const PublishOrder& order, std::string_view sender,
                                                std::optional<int> priority, Now now, Effects& effects)
{
    auto parsed = package_.parse({key, order.content_type, order.body, {}});
    if (auto* const refusal = std::get_if<Refusal>(&parsed))
        return std::move(*refusal);
    if (kept_.size() >= common_.max_publications)
        return Refusal{403, "Too many publications", {}};
    Kept kept;
    kept.etag = common_.tags.make();
    kept.sender = sender;
    kept.content_type = order.content_type;
    kept.body = order.body;
    kept.document = std::move(std::get<DocumentPtr>(parsed));
    kept.commit = kept.first_commit = ++commit_;
    kept.received = now.unix;
    kept.priority = priority.value_or(default_priority(now.unix));
    kept.expires = now.at + std::chrono::seconds{order.expires};
    write(kept, {}, now, effects);
    Granted granted{kept.etag, order.expires};
    kept_.push_back(std::move(kept));
    common_.counts.publications.add();
    commit(now, sender, effects);
    return granted;
}

std::variant<Granted, Refusal> Resource::publish(const PublishOrder& order, std::string_view sender,
                                                 std::optional<int> priority, Now now, Effects& effects)
{
    Kept* const kept = order.if_match.empty() ? nullptr : find_tag(order.if_match);
    if (!order.if_match.empty() && (!kept || kept->expires <= now.at))
        return Refusal{412, "Conditional Request Failed", {}};
    if (order.refusal)
        return *order.refusal;
    if (!kept) {
        if (order.expires == 0) // gone before it was there; its tag is dead
            return Granted{common_.tags.make(), 0};
        return create(order, sender, priority, now, effects);
    }
    if (order.expires == 0) {
        const std::string by = sender.empty() ? kept->sender : std::string{sender};
        erase(*kept, effects);
        commit(now, by, effects);
        return Granted{common_.tags.make(), 0};
    }
    DocumentPtr document;
    if (!order.body.empty()) {
        auto parsed = package_.parse({key, order.content_type, order.body, kept->document});
        if (auto* const refusal = std::get_if<Refusal>(&parsed))
            return std::move(*refusal);
        document = std::move(std::get<DocumentPtr>(parsed));
    }
    // The old tag dies now: a second request with it gets 412.
    const std::string old = kept->etag;
    if (!package_.traits().etag_keep)
        kept->etag = common_.tags.make();
    kept->expires = now.at + std::chrono::seconds{order.expires};
    if (priority)
        kept->priority = *priority;
    if (document) {
        kept->document = std::move(document);
        kept->content_type = order.content_type;
        kept->body = order.body;
        kept->commit = ++commit_;
        if (!sender.empty())
            kept->sender = sender;
    }
    write(*kept, old, now, effects);
    Granted granted{kept->etag, order.expires};
    if (!order.body.empty())
        commit(now, sender, effects);
    return granted;
}

Result<void> Resource::publish_local(const LocalPublication& publication, std::string_view ruid, Now now,
                                     Effects& effects)
{
    const auto found =
        std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.ruid == ruid; });
    if (publication.body.empty() || publication.expires == 0) {
        if (found == kept_.end())
            return {};
        erase(*found, effects);
        commit(now, publication.sender, effects);
        return {};
    }
    const bool is_new = found == kept_.end();
    if (is_new && kept_.size() >= common_.max_publications)
        return Error{ErrorKind::overloaded, "too many publications"};
    auto parsed = package_.parse(
        {key, publication.content_type, publication.body, is_new ? DocumentPtr{} : found->document});
    if (const auto* const refusal = std::get_if<Refusal>(&parsed))
        return Error{ErrorKind::invalid, refusal->reason};
    Kept& kept = is_new ? kept_.emplace_back() : *found;
    const std::string old = kept.etag;
    kept.etag = common_.tags.make();
    kept.ruid = ruid;
    kept.sender = publication.sender;
    kept.content_type = publication.content_type;
    kept.body = publication.body;
    kept.document = std::move(std::get<DocumentPtr>(parsed));
    kept.commit = ++commit_;
    kept.expires = now.at + std::chrono::seconds{publication.expires};
    if (is_new) {
        kept.first_commit = kept.commit;
        kept.received = now.unix;
        kept.priority = default_priority(now.unix);
        common_.counts.publications.add();
    }
    write(kept, old, now, effects);
    commit(now, publication.sender, effects);
    return {};
}

void Resource::restore(const StoredPublication& row, Now now)
{
    if (find_tag(row.etag) || kept_.size() >= common_.max_publications)
        return; // a request was quicker than the restart
    Kept kept;
    kept.etag = row.etag;
    kept.sender = row.sender;
    kept.body = row.body;
    kept.ruid = row.ruid;
    kept.received = row.received;
    kept.priority = row.priority;
    kept.expires =
        row.expires < 0 ? Instant{INT64_MAX} : now.at + std::chrono::seconds{row.expires - now.unix};
    if (!package_.traits().publish_types.empty()) // the column does not exist in Kamailio's table
        kept.content_type = lower(package_.traits().publish_types.front());
    auto parsed = package_.parse({key, kept.content_type, kept.body, {}});
    if (auto* const document = std::get_if<DocumentPtr>(&parsed))
        kept.document = std::move(*document); // else quarantined: its tag works, its content does not count
    kept.commit = kept.first_commit = ++commit_;
    kept_.push_back(std::move(kept));
    common_.counts.publications.add();
    composite_.reset(); // merged anew when somebody asks
    composite_commit_ = ++commit_;
}

} // namespace sipyard::presence
