// core/net/resolver.cpp - the cache of answers, and one question in flight per name
#include "core/net/resolver.h"

#include "core/base/format.h"
#include "core/base/guarded.h"
#include "core/base/text.h"
#include "core/net/dns_channel.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <tuple>
#include <unordered_map>

namespace sipyard::net {

namespace {

constexpr std::size_t most_entries = 10'000; // names come from the network: the cache is bounded

} // namespace

struct Resolver::Parts {
    // Shared by the cache, the fibers that wait for it and the question in flight.
    struct Entry {
        std::vector<task::Event> waiting; // under the cache's lock
        std::atomic<bool> ready{false};
        DnsAnswer answer; // once ready: read only
        Instant expires;  // likewise
    };
    using Cache = std::unordered_map<std::string, std::shared_ptr<Entry>>;

    Parts(Settings its_settings, task::Runtime& its_runtime)
        : settings{std::move(its_settings)}, runtime{its_runtime}, channels(runtime.workers())
    {
    }

    std::shared_ptr<const Entry> ask(DnsKind kind, std::string_view name);
    void fill(const std::string& key, Entry& entry, DnsAnswer answer);
    static void make_room(Cache& cache, Instant now);

    const Settings settings;
    task::Runtime& runtime;
    Guarded<Cache> cache;
    std::vector<std::unique_ptr<DnsChannel>> channels; // each its worker's, made at its first question
};

Resolver::Resolver(Settings settings, task::Runtime& runtime)
    : parts_{std::make_unique<Parts>(std::move(settings), runtime)}
{
}

Resolver::~Resolver()
{
    parts_->runtime.on_every_worker(
        [this](task::Worker& worker) { parts_->channels[worker.index()].reset(); });
}

void Resolver::Parts::make_room(Cache& cache, Instant now)
{
    if (cache.size() < most_entries)
        return;
    std::erase_if(cache, [&](const auto& one) { return one.second->ready && one.second->expires <= now; });
    if (cache.size() >= most_entries)
        std::erase_if(cache, [](const auto& one) { return one.second->ready.load(); });
}

void Resolver::Parts::fill(const std::string& key, Entry& entry, DnsAnswer answer)
{
    const bool not_found = answer.error && answer.error->kind == ErrorKind::not_found;
    const bool keep = settings.cache && (!answer.error || not_found);
    entry.expires = runtime.clock().now() +
                    (not_found ? settings.negative_ttl
                               : std::max(std::min(answer.ttl, settings.most_ttl), settings.least_ttl));
    entry.answer = std::move(answer);
    const auto waiting = cache.with([&](Cache& all) {
        entry.ready.store(true, std::memory_order_release);
        const auto found = all.find(key);
        if (!keep && found != all.end() && found->second.get() == &entry)
            all.erase(found);
        return std::exchange(entry.waiting, {});
    });
    for (const auto& event : waiting)
        event.signal();
}

std::shared_ptr<const Resolver::Parts::Entry> Resolver::Parts::ask(DnsKind kind, std::string_view name)
{
    // A name's letters of either case are the same name (RFC 4343).
    std::string key = lower(name) + "/" + std::to_string(static_cast<int>(kind));
    const auto now = runtime.clock().now();
    bool mine = false;
    task::Event done; // an event is one fiber's
    const auto entry = cache.with([&](Cache& all) {
        auto found = all.find(key);
        if (found != all.end() && found->second->ready && found->second->expires <= now) {
            all.erase(found);
            found = all.end();
        }
        if (found == all.end()) {
            mine = true;
            make_room(all, now);
            found = all.emplace(key, std::make_shared<Entry>()).first;
        }
        if (!found->second->ready)
            found->second->waiting.push_back(done);
        return found->second;
    });
    if (entry->ready.load(std::memory_order_acquire))
        return entry;

    task::Fiber* const fiber = task::Fiber::current();
    if (mine && !fiber) {
        fill(key, *entry, DnsChannel::ask_and_wait(settings, kind, std::string{name}));
        return entry;
    }
    if (mine)
        // On the loop: the library may want more stack than a fiber has.
        fiber->worker().post([this, entry, kind, key, &worker = fiber->worker()]() mutable {
            auto& channel = channels[worker.index()];
            if (!channel)
                channel = std::make_unique<DnsChannel>(settings, worker);
            const std::string asked = key.substr(0, key.rfind('/'));
            channel->ask(kind, asked, [this, entry, key = std::move(key)](DnsAnswer answer) {
                fill(key, *entry, std::move(answer));
            });
        });
    const auto until = now + longest_question(settings);
    if (!done.wait(until) && !entry->ready) {
        auto late = std::make_shared<Entry>();
        late->answer.error =
            runtime.stopping() ? Error{ErrorKind::stopping, "the resolver is stopping"}
                               : Error{ErrorKind::timeout, format("no DNS server answered about '{}'", name)};
        return late;
    }
    return entry;
}

Result<std::vector<Address>> Resolver::addresses(std::string_view host, std::uint16_t port)
{
    if (auto numeric = Address::parse(host, port))
        return std::vector{*numeric};
    const auto entry = parts_->ask(DnsKind::addresses, host);
    if (entry->answer.error)
        return *entry->answer.error;
    auto all = entry->answer.addresses;
    for (auto& address : all)
        address.port = port;
    return all;
}

Result<std::vector<Srv>> Resolver::srv(std::string_view name, SrvOrder order, std::uint64_t lot)
{
    const auto entry = parts_->ask(DnsKind::srv, name);
    if (entry->answer.error)
        return *entry->answer.error;
    auto all = entry->answer.srv;
    if (order == SrvOrder::heaviest_first) {
        std::stable_sort(all.begin(), all.end(), [](const Srv& a, const Srv& b) {
            return a.priority != b.priority ? a.priority < b.priority : a.weight > b.weight;
        });
        return all;
    }
    // RFC 2782: the lowest priority first; among equals a weighted draw decides who is next, anew each time.
    // Weight 0 goes first in the list, so that it has a chance at all.
    std::stable_sort(all.begin(), all.end(), [](const Srv& a, const Srv& b) {
        return std::tie(a.priority, a.weight, a.target, a.port) <
               std::tie(b.priority, b.weight, b.target, b.port);
    });
    std::minstd_rand random{lot ? static_cast<std::uint_fast32_t>(lot % 2'147'483'646 + 1)
                                : std::random_device{}()};
    random.discard(1); // near seeds begin near
    for (auto at = all.begin(); at != all.end(); ++at) {
        const auto end =
            std::find_if(at, all.end(), [&](const Srv& one) { return one.priority != at->priority; });
        unsigned sum = 0;
        for (auto one = at; one != end; ++one)
            sum += one->weight;
        const unsigned drawn = std::uniform_int_distribution<unsigned>{0, sum}(random);
        unsigned running = 0;
        auto chosen = at;
        for (auto one = at; one != end; ++one) {
            running += one->weight;
            if (running >= drawn) {
                chosen = one;
                break;
            }
        }
        std::rotate(at, chosen, std::next(chosen));
    }
    return all;
}

Result<std::vector<Naptr>> Resolver::naptr(std::string_view name)
{
    const auto entry = parts_->ask(DnsKind::naptr, name);
    if (entry->answer.error)
        return *entry->answer.error;
    auto all = entry->answer.naptr;
    std::stable_sort(all.begin(), all.end(), [](const Naptr& a, const Naptr& b) { // RFC 3403 4.1
        return a.order != b.order ? a.order < b.order : a.preference < b.preference;
    });
    return all;
}

void Resolver::flush()
{
    parts_->cache.with([](Parts::Cache& all) {
        std::erase_if(all, [](const auto& one) { return one.second->ready.load(); });
    });
}

std::size_t Resolver::cached() const
{
    return parts_->cache.with([](Parts::Cache& all) {
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [](const auto& one) { return one.second->ready.load(); }));
    });
}

} // namespace sipyard::net
