// modules/xcap_diff/xcap_diff.cpp - Event: xcap-diff, changes of XCAP documents told to who subscribed
// (RFC 5875)
#include "core/crypto/digest.h"
#include "core/json/value.h"
#include "core/module/module.h"
#include "modules/presence/api.h"
#include "modules/xcap_diff/library.h"
#include "modules/xcap_diff/report.h"
#include "modules/xcap_diff/wanted.h"
#include "modules/xcap_server/api.h"

#include <atomic>
#include <cstring>
#include <string>

namespace sipyard::xcap_diff {

class XcapDiff final : public presence::EventPackage {
public:
    struct Settings {
        std::string xcap_root_uri;
        Milliseconds notify_interval_ms{5000}; // RFC 5875 4.10
        std::int64_t max_users = 4096;
    };
    static Manifest<XcapDiff> manifest();

    XcapDiff(const Settings& settings, Host& host)
        : settings_{settings}, host_{host}, log_{host.logger("xcap_diff")},
          documents_{host.service<xcap_server::Documents>()}, presence_{host.service<presence::Api>()},
          traits_{make_traits(settings)}, library_{documents_}
    {
        presence_.add(*this);
    }

    // --- the event package ---
    const presence::Traits& traits() const override { return traits_; }
    std::variant<presence::DocumentPtr, presence::Refusal> parse(const presence::PublishView&) override
    {
        // Nobody else knows what is in the documents: there are no state agents (RFC 5875 4.11).
        return presence::Refusal{489, "xcap-diff is not published", {}};
    }
    presence::CompositePtr merge(std::string_view presentity, std::span<const presence::Publication>,
                                 const presence::CompositePtr&) override
    {
        if (auto snapshot = library_.find(presentity))
            return snapshot;
        return nobody_;
    }
    void prepare(const presence::SubscribeView& subscribe) override
    {
        if (library_.find(subscribe.presentity))
            return;
        if (library_.size() >= static_cast<std::size_t>(settings_.max_users))
            library_.sweep([this](const std::string& user) {
                return !presence_.subscriptions(traits_.name, user).empty();
            });
        if (const auto loaded = library_.load(subscribe.presentity); !loaded)
            log_.warn("the documents of {} could not be read: {}", subscribe.presentity, loaded.error().text);
    }
    std::optional<presence::Refusal> refuse(const presence::SubscribeView& subscribe) override
    {
        if (!library_.find(subscribe.presentity))
            return presence::Refusal{503, "Service Unavailable", "Retry-After: 5\r\n"};
        if (const auto list = read_list(subscribe.body); !list)
            return presence::Refusal{400, list.error().text, {}};
        return {};
    }
    presence::Variant variant(const presence::SubscribeView& subscribe) override
    {
        Wish wish;
        wish.processing = processing_of(subscribe.event_params);
        wish.is_owner = subscribe.watcher == subscribe.presentity;
        if (auto list = read_list(subscribe.body))
            wish.uris = std::move(*list);
        return pack(wish);
    }
    presence::BodyPtr render(std::string_view presentity, const presence::Composite& composite,
                             const presence::Variant& variant) override
    {
        const auto [user, domain] = owner_of(presentity);
        return body_of(Reporter{documents_, root_uri(), user, domain}.everything(
            static_cast<const Snapshot&>(composite), unpack(variant)));
    }
    presence::BodyPtr partial(std::string_view presentity, const presence::Composite& before,
                              const presence::Composite& now, const presence::Variant& variant) override
    {
        const auto [user, domain] = owner_of(presentity);
        auto changes = Reporter{documents_, root_uri(), user, domain}.changes(
            static_cast<const Snapshot&>(before), static_cast<const Snapshot&>(now), unpack(variant));
        return changes ? body_of(std::move(*changes)) : nullptr;
    }

private:
    void document_changed(const xcap_server::DocumentChanged& change)
    {
        for (const auto& presentity : library_.changed(change))
            presence_.resource_changed(traits_.name, presentity);
    }
    Result<json::Value> stats(const json::Value&)
    {
        return json::Value::object().set("users", library_.size());
    }

    static presence::Traits make_traits(const Settings& settings)
    {
        presence::Traits out;
        out.name = "xcap-diff";
        out.notify_types = {std::string{media_type}};
        out.subscribe_types = {"application/resource-lists+xml"};
        out.subscribe = {3600, 60, 86'400};
        out.notify_interval = std::chrono::milliseconds{settings.notify_interval_ms.count};
        return out;
    }
    static presence::BodyPtr body_of(std::string text)
    {
        auto out = std::make_shared<presence::Body>();
        out->content_type = media_type;
        const auto raw = crypto::digest(crypto::Algorithm::sha256, text);
        std::memcpy(&out->hash.high, raw.bytes.data(), 8);
        std::memcpy(&out->hash.low, raw.bytes.data() + 8, 8);
        out->essence = out->hash;
        out->before = std::move(text);
        return out;
    }
    // Of the first stream socket, when the operator does not say how clients call this server.
    std::string root_uri() const
    {
        if (!settings_.xcap_root_uri.empty())
            return settings_.xcap_root_uri.ends_with('/') ? settings_.xcap_root_uri
                                                          : settings_.xcap_root_uri + "/";
        for (const auto& listener : host_.network().listeners()) {
            const bool tls = listener->protocol == net::Protocol::tls;
            if (tls || listener->protocol == net::Protocol::tcp)
                return format("{}://{}:{}{}", tls ? "https" : "http", listener->host(), listener->port(),
                              documents_.root());
        }
        return std::string{documents_.root()};
    }

    const Settings settings_;
    Host& host_;
    const log::Logger log_;
    xcap_server::Documents& documents_;
    presence::Api& presence_;
    const presence::Traits traits_;
    const presence::CompositePtr nobody_ = snapshot_of({});
    Library library_;
};

Manifest<XcapDiff> XcapDiff::manifest()
{
    using M = XcapDiff;
    return {
        .name = "xcap_diff",
        .about = "Event: xcap-diff, changes of XCAP documents told to who subscribed (RFC 5875)",
        .needs = {need<presence::Api>(), need<xcap_server::Documents>()},
        .params = {param("xcap_root_uri", &Settings::xcap_root_uri,
                         "The XCAP root as clients write it; empty: made of the first TCP or TLS socket"),
                   param("notify_interval_ms", &Settings::notify_interval_ms,
                         "Least time between two NOTIFYs to a subscriber"),
                   param("max_users", &Settings::max_users,
                         "Users whose documents are kept at hand before those nobody follows are dropped")},
        .commands = {command("xcap_diff.stats", &M::stats, "Users whose documents are followed")},
        .listeners = {on(&M::document_changed)},
    };
}

} // namespace sipyard::xcap_diff

SIPYARD_MODULE(sipyard::xcap_diff::XcapDiff)
