// test/fuzz/dialog_info.cpp - any bytes as publications: refused, or made into a well-formed document
#include "core/xml/check.h"
#include "modules/presence_dialoginfo/quirks.h"
#include "modules/presence_dialoginfo/read.h"
#include "modules/presence_dialoginfo/render.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace sipyard;
using namespace sipyard::presence_dialoginfo;

namespace {

void promise(bool kept)
{
    if (!kept)
        std::abort();
}

presence::Publication publication_of(PublishedPtr document, std::uint64_t commit)
{
    presence::Publication publication;
    publication.document = std::move(document);
    publication.commit = commit;
    publication.first_commit = commit;
    return publication;
}

} // namespace

// The first byte chooses the watcher's view, the rest are documents parted by NUL; the third is a
// modification of the first.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const unsigned bits = data[0];
    std::string_view rest{reinterpret_cast<const char*>(data + 1), size - 1};
    View view;
    view.privacy = static_cast<Privacy>(bits % 3);
    view.idle = static_cast<IdleBody>(bits >> 2 & 3);
    view.single = (bits & 16) != 0;
    view.session = (bits & 32) != 0;
    view.caller_confirmed = (bits & 64) != 0;
    const Namespace wanted = (bits & 128) != 0 ? Namespace::lax : Namespace::strict;

    std::vector<presence::Publication> publications;
    std::shared_ptr<const State> state;
    PublishedPtr first;
    for (std::uint64_t commit = 1; commit <= 3; ++commit) {
        const auto end = rest.find('\0');
        const auto read = read_dialog_info(rest.substr(0, end), wanted, commit == 3 ? first.get() : nullptr);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        if (!read)
            continue;
        if (commit == 3 && first) {
            publications.front().document = *read;
            publications.front().commit = commit;
        } else {
            publications.push_back(publication_of(*read, commit));
            if (commit == 1)
                first = *read;
        }
        const auto before = state;
        state = merge(publications, before.get());
        promise(merge(publications, state.get())->hash == state->hash);

        const auto body = render_full("sip:bob@example.com", *state, view, DummyId::presentity);
        if (!body) {
            promise(view.idle == IdleBody::none);
            continue;
        }
        const std::string text = body->before + "0" + body->after;
        xml::Limits limits;
        limits.attributes = 1'000; // one declaration may have become several
        promise(static_cast<bool>(xml::check(text, limits)));
        if (before)
            if (const auto partial =
                    render_partial("sip:bob@example.com", *before, *state, view, DummyId::kamailio))
                promise(static_cast<bool>(xml::check(partial->before + "1" + partial->after, limits)));
        if (const auto again = read_dialog_info(text, Namespace::strict, nullptr)) {
            // What we wrote is read as what it said.
            const presence::Publication alone = publication_of(*again, 1);
            View all = view;
            all.privacy = Privacy::full;
            const auto second = merge({&alone, 1}, nullptr);
            if (view.privacy == Privacy::full && !view.caller_confirmed && !second->dialogs.empty()) {
                const auto same = render_full("sip:bob@example.com", *second, all, DummyId::presentity);
                promise(same && same->before + "0" + same->after == text);
            }
        }
    }
    read_event_params(rest, view);
    promise(View::of(view.variant()).variant() == view.variant());
    read_quirks(rest);
    return 0;
}
