// core/module/trail.cpp - rings of message records, one for each worker
#include "core/module/trail.h"

#include "core/base/guarded.h"
#include "core/crypto/random.h"

#include <algorithm>
#include <cstring>

namespace sipyard {

namespace {

struct Records {
    std::vector<Trail::Record> items; // empty until the first note
    std::size_t next = 0;
};

std::uint64_t random_seed()
{
    std::uint64_t seed;
    const std::string bytes = crypto::random_bytes(sizeof seed);
    std::memcpy(&seed, bytes.data(), sizeof seed);
    return seed;
}

} // namespace

struct Trail::Ring {
    Guarded<Records> records;
};

Trail::Trail(task::Runtime& runtime, const Clock& clock, std::size_t records)
    : runtime_{runtime}, clock_{clock}, records_{records}, seed_{random_seed()}
{
    for (std::size_t i = 0; i <= runtime_.workers(); ++i)
        rings_.push_back(std::make_unique<Ring>());
}

Trail::~Trail() = default;

Trail::Ring& Trail::mine()
{
    const task::Worker* const worker = task::Worker::current();
    return *rings_[worker && worker->index() + 1 < rings_.size() ? worker->index() : rings_.size() - 1];
}

std::uint64_t
Trail::hash_of(std::string_view call_id) const // FNV-1a over words; collisions only add foreign lines
{
    std::uint64_t hash = seed_ ^ 0xcbf29ce484222325ull;
    while (call_id.size() >= 8) {
        std::uint64_t word;
        std::memcpy(&word, call_id.data(), 8);
        hash = (hash ^ word) * 0x100000001b3ull;
        hash ^= hash >> 31;
        call_id.remove_prefix(8);
    }
    for (const char c : call_id)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    return hash ^ (hash >> 32);
}

void Trail::note(Way way, const sip::Message& message, const Peer& peer)
{
    const sip::CSeq* const cseq = message.cseq();
    const sip::Method method = message.is_request() ? message.method()
                               : cseq               ? cseq->method
                                                    : sip::Method::other;
    note(way, message.call_id(), method, cseq ? cseq->number : 0, message.status(), peer);
}

void Trail::note(Way way, std::string_view call_id, sip::Method method, std::uint32_t cseq, int status,
                 const Peer& peer)
{
    const task::Worker* const worker = task::Worker::current();
    const Record record{worker ? worker->now() : clock_.now(), hash_of(call_id), peer.address, cseq,
                        static_cast<std::uint16_t>(status),    peer.protocol,    way,          method};
    mine().records.with([&](Records& ring) {
        if (ring.items.size() < records_) {
            if (ring.items.capacity() == 0)
                ring.items.reserve(records_); // address space only until it is written
            ring.items.push_back(record);
            return;
        }
        ring.items[ring.next] = record;
        ring.next = (ring.next + 1) % records_;
    });
}

std::vector<Trail::Record> Trail::of(std::string_view call_id) const
{
    const std::uint64_t call = hash_of(call_id);
    std::vector<Record> found;
    for (const auto& ring : rings_)
        ring->records.with([&](const Records& records) {
            for (const Record& record : records.items)
                if (record.call == call)
                    found.push_back(record);
        });
    std::stable_sort(found.begin(), found.end(),
                     [](const Record& a, const Record& b) { return a.when < b.when; });
    return found;
}

} // namespace sipyard
