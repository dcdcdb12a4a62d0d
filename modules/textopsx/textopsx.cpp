// modules/textopsx/textopsx.cpp - more on the message: apply edits now, header values one by one, hop by hop
// lines
#include "core/base/text.h"
#include "core/module/module.h"
#include "core/sip/build.h"
#include "core/sip/edits.h"
#include "core/sip/lists.h"
#include "core/sip/message.h"

#include <string>
#include <string_view>

namespace sipyard::textopsx {

class Textopsx {
public:
    struct Settings {};
    static Manifest<Textopsx> manifest();

    Textopsx(const Settings&, Host& host) : log_{host.logger("textopsx")} {}

private:
    // The message as it would be sent takes the place of the one received: reads see the edits from here on.
    Verdict msg_apply_changes(Request& request)
    {
        if (!request.has_edits() && !request.ruri_changed())
            return Verdict::yes();
        if (request.ruri_changed() && request.message().is_request())
            request.edits().replace_request_uri(request.message(), request.ruri());
        auto message = sip::Message::parse(sip::apply(request.message(), request.edits(), request.arena()),
                                           request.arena());
        if (!message || (*message)->fault()) {
            log_.error("msg_apply_changes: the edits leave no SIP message: {}",
                       message ? std::string{(*message)->fault().reason} : message.error().text);
            return Verdict::no();
        }
        request.replace_message(**message);
        return Verdict::yes();
    }
    Verdict change_reply_status(Request& request, std::int64_t code, std::string_view reason)
    {
        const sip::Message& message = request.message();
        if (!message.is_reply() || code < 100 || code > 699) {
            log_.error("change_reply_status: {} is no status, or there is no reply", code);
            return Verdict::no();
        }
        // A provisional reply stays one, a final one too: a transaction counts on it.
        if ((message.status() < 200) != (code < 200)) {
            log_.error("change_reply_status: {} cannot become {}", message.status(), code);
            return Verdict::no();
        }
        if (reason.find_first_of("\r\n") != std::string_view::npos)
            return Verdict::no();
        request.edits().replace(
            message, message.start_line(),
            request.arena().concat(message.version(), " ", std::to_string(code), " ", reason));
        return Verdict::yes();
    }
    Verdict remove_body(Request& request)
    {
        request.edits().replace_body(request.message(), {});
        return Verdict::yes();
    }
    Verdict keep_hf(Request& request) { return keep(request, nullptr); }
    Verdict keep_hf_re(Request& request, const Regex& pattern) { return keep(request, &pattern); }
    // Everything but the headers a SIP message cannot do without, and those whose name matches.
    Verdict keep(Request& request, const Regex* pattern)
    {
        using sip::HeaderName;
        for (const sip::Header& header : request.message().headers()) {
            switch (header.id) {
            case HeaderName::via:
            case HeaderName::from:
            case HeaderName::to:
            case HeaderName::call_id:
            case HeaderName::cseq:
            case HeaderName::route:
            case HeaderName::record_route:
            case HeaderName::contact:
            case HeaderName::content_type:
            case HeaderName::content_length:
            case HeaderName::max_forwards: continue;
            default:
                if (!pattern || !pattern->matches(header.name))
                    request.edits().remove(request.message(), header);
            }
        }
        return Verdict::yes();
    }

    // --- values of list headers ---
    struct Found {
        const sip::Header* header = nullptr;
        std::string_view value;
    };
    static Found find_value(const sip::Message& message, std::string_view name, std::string_view value)
    {
        for (std::size_t n = 0; const sip::Header* header = message.nth(name, n); ++n) {
            std::string_view rest = header->value, item;
            while (sip::next_in_list(rest, item))
                if (iequals(item, value))
                    return {header, item};
        }
        return {};
    }
    Verdict include_hf_value(Request& request, std::string_view name, std::string_view value)
    {
        if (find_value(request.message(), name, value).header)
            return Verdict::yes();
        return append_hf_value(request, name, value);
    }
    Verdict append_hf_value(Request& request, std::string_view name, std::string_view value)
    {
        const sip::Header* const header = request.message().last(name);
        if (!header)
            request.edits().append_header(request.message(),
                                          request.arena().concat(name, ": ", value, "\r\n"));
        else
            request.edits().insert(request.message().offset_of(header->value) + header->value.size(),
                                   request.arena().concat(header->value.empty() ? "" : ", ", value));
        return Verdict::yes();
    }
    Verdict insert_hf_value(Request& request, std::string_view name, std::string_view value)
    {
        const sip::Header* const header = request.message().first(name);
        if (!header)
            return append_hf_value(request, name, value);
        request.edits().insert(request.message().offset_of(header->value),
                               request.arena().concat(value, header->value.empty() ? "" : ", "));
        return Verdict::yes();
    }
    Verdict exclude_hf_value(Request& request, std::string_view name, std::string_view value)
    {
        const Found found = find_value(request.message(), name, value);
        if (!found.header)
            return Verdict::no();
        const std::string_view whole = found.header->value;
        if (found.value.size() == whole.size()) {
            request.edits().remove(request.message(), *found.header);
            return Verdict::yes();
        }
        // The value goes with the comma behind it, the last one with the comma before.
        std::size_t from = static_cast<std::size_t>(found.value.data() - whole.data()),
                    to = from + found.value.size();
        if (const auto comma = whole.find(',', to); comma != std::string_view::npos) {
            to = comma + 1;
            while (to < whole.size() && is_space(whole[to]))
                ++to;
        } else {
            from = whole.rfind(',', from);
        }
        const std::size_t base = request.message().offset_of(whole);
        request.edits().remove_range(base + from, base + to);
        return Verdict::yes();
    }
    Verdict hf_value_exists(Request& request, std::string_view name, std::string_view value)
    {
        return Verdict::of(find_value(request.message(), name, value).header != nullptr);
    }
    Verdict assign_hf_value(Request& request, std::string_view name, std::string_view value)
    {
        const sip::Header* const header = request.message().first(name);
        if (!header)
            return append_hf_value(request, name, value);
        request.edits().replace(request.message(), header->value, value);
        return Verdict::yes();
    }
    Verdict remove_hf_value(Request& request, std::string_view name)
    {
        const sip::Header* const header = request.message().first(name);
        if (!header)
            return Verdict::no();
        request.edits().remove(request.message(), *header);
        return Verdict::yes();
    }

    const log::Logger log_;
};

Manifest<Textopsx> Textopsx::manifest()
{
    using M = Textopsx;
    constexpr RouteMask before_a_transaction = Route::request | Route::core_reply | Route::event;
    return {
        .name = "textopsx",
        .about = "More on the message: apply edits now, values of list headers",
        .functions =
            {
                function("msg_apply_changes", &M::msg_apply_changes, "Makes the edits visible to the script",
                         before_a_transaction),
                function("change_reply_status", &M::change_reply_status,
                         "Another status and reason for the reply", Route::tm_reply | Route::core_reply),
                function("remove_body", &M::remove_body, "Removes the body"),
                function("keep_hf", &M::keep_hf, "Removes every header that is not essential"),
                function("keep_hf", &M::keep_hf_re, "The same, but keeps those whose name matches"),
                function("include_hf_value", &M::include_hf_value,
                         "Adds the value to a list header unless it is there"),
                function("append_hf_value", &M::append_hf_value,
                         "Adds the value at the end of a list header"),
                function("insert_hf_value", &M::insert_hf_value,
                         "Adds the value at the start of a list header"),
                function("exclude_hf_value", &M::exclude_hf_value, "Removes the value from a list header"),
                function("hf_value_exists", &M::hf_value_exists, "True when the list header has the value"),
                function("assign_hf_value", &M::assign_hf_value, "Replaces the first header's value"),
                function("remove_hf_value", &M::remove_hf_value, "Removes the first header of that name"),
            },
    };
}

} // namespace sipyard::textopsx

SIPYARD_MODULE(sipyard::textopsx::Textopsx)
