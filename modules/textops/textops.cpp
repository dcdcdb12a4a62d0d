// modules/textops/textops.cpp - headers and body of the message in the script's hands: look, add, remove,
// replace
#include "core/base/text.h"
#include "core/module/module.h"
#include "core/sip/build.h"
#include "core/sip/edits.h"
#include "core/sip/message.h"
#include "modules/textops/body.h"
#include "modules/textops/method_set.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sipyard::textops {

class Textops {
public:
    struct Settings {};
    static Manifest<Textops> manifest();

    Textops(const Settings&, Host& host) : host_{host}, log_{host.logger("textops")} {}

private:
    // --- looking ---
    Verdict is_method(Request& request, const MethodSet& wanted)
    {
        const sip::Message& message = request.message();
        if (message.is_request())
            return Verdict::of(wanted.has(message.method(), message.method_text()));
        const auto* const cseq = message.cseq();
        return Verdict::of(cseq && wanted.has(cseq->method, cseq->method_text));
    }
    Verdict is_present_hf(Request& request, std::string_view name)
    {
        return Verdict::of(request.message().first(name) != nullptr);
    }
    Verdict is_present_hf_re(Request& request, const Regex& pattern)
    {
        for (const sip::Header& header : request.message().headers())
            if (pattern.matches(header.name))
                return Verdict::yes();
        return Verdict::no();
    }
    Verdict search(Request& request, const Regex& pattern)
    {
        return Verdict::of(pattern.matches(request.message().buffer()));
    }
    Verdict search_body(Request& request, const Regex& pattern)
    {
        return Verdict::of(pattern.matches(request.message().body()));
    }
    Verdict search_hf(Request& request, std::string_view name, const Regex& pattern, std::string_view which)
    {
        // "a" any header of that name, "f" the first, "l" the last
        const sip::Message& message = request.message();
        if (which == "f" || which == "l") {
            const sip::Header* const header = which == "f" ? message.first(name) : message.last(name);
            return Verdict::of(header && pattern.matches(header->value));
        }
        for (std::size_t n = 0; const sip::Header* header = message.nth(name, n); ++n)
            if (pattern.matches(header->value))
                return Verdict::yes();
        return Verdict::no();
    }
    Verdict has_body(Request& request) { return Verdict::of(!request.message().body().empty()); }
    Verdict has_body_of(Request& request, std::string_view type)
    {
        const auto* const media = request.message().content_type();
        return Verdict::of(!request.message().body().empty() && media && media->is(type));
    }
    Verdict starts_with(Request&, std::string_view text, std::string_view prefix)
    {
        return Verdict::of(text.starts_with(prefix));
    }
    Verdict ends_with(Request&, std::string_view text, std::string_view suffix)
    {
        return Verdict::of(text.ends_with(suffix));
    }
    Verdict str_find(Request&, std::string_view text, std::string_view part)
    {
        return Verdict::of(text.find(part) != std::string_view::npos);
    }
    Verdict cmp_str(Request&, std::string_view a, std::string_view b) { return Verdict::of(a == b); }
    Verdict cmp_istr(Request&, std::string_view a, std::string_view b) { return Verdict::of(iequals(a, b)); }
    Verdict is_privacy(Request& request, std::string_view wanted)
    {
        for (std::size_t n = 0; const sip::Header* header = request.message().nth("Privacy", n); ++n)
            for (const auto value : split(header->value, ';'))
                if (iequals(trim(value), wanted))
                    return Verdict::yes();
        return Verdict::no();
    }
    Verdict is_audio_on_hold(Request& request)
    {
        return Verdict::of(audio_on_hold(request.message().body()));
    }

    // --- adding ---
    // A header text has to be whole lines, or the message would change its meaning.
    bool good_lines(std::string_view text, std::string_view function) const
    {
        if (text.find(':') != std::string_view::npos && text.ends_with('\n') &&
            text.find("\r\n\r\n") == std::string_view::npos && !text.starts_with("\r\n"))
            return true;
        log_.error("{}: '{}' is no header: expected \"Name: value\\r\\n\"", function, trim_right(text));
        return false;
    }
    Verdict append_hf(Request& request, std::string_view text)
    {
        if (!good_lines(text, "append_hf"))
            return Verdict::no();
        request.edits().append_header(request.message(), text);
        return Verdict::yes();
    }
    Verdict append_hf_after(Request& request, std::string_view text, std::string_view name)
    {
        const sip::Header* const header = request.message().first(name);
        if (!header)
            return append_hf(request, text);
        if (!good_lines(text, "append_hf"))
            return Verdict::no();
        request.edits().insert_after(request.message(), *header, text);
        return Verdict::yes();
    }
    Verdict insert_hf(Request& request, std::string_view text)
    {
        if (!good_lines(text, "insert_hf"))
            return Verdict::no();
        request.edits().prepend_header(request.message(), text);
        return Verdict::yes();
    }
    Verdict insert_hf_before(Request& request, std::string_view text, std::string_view name)
    {
        const sip::Header* const header = request.message().first(name);
        if (!header)
            return insert_hf(request, text);
        if (!good_lines(text, "insert_hf"))
            return Verdict::no();
        request.edits().insert_before(request.message(), *header, text);
        return Verdict::yes();
    }
    Verdict append_urihf(Request& request, std::string_view before, std::string_view after)
    {
        const std::string_view line = request.arena().concat(before, request.ruri(), after);
        return append_hf(request, line);
    }
    Verdict append_to_reply(Request& request, std::string_view text)
    {
        if (!good_lines(text, "append_to_reply"))
            return Verdict::no();
        request.append_to_reply(text);
        return Verdict::yes();
    }
    Verdict append_time(Request& request)
    {
        request.append_to_reply(
            request.arena().concat("Date: ", rfc_date(host_.clock().unix_seconds()), "\r\n"));
        return Verdict::yes();
    }
    Verdict append_time_to_request(Request& request)
    {
        request.edits().append_header(
            request.message(),
            request.arena().concat("Date: ", rfc_date(host_.clock().unix_seconds()), "\r\n"));
        return Verdict::yes();
    }

    // --- removing ---
    Verdict remove_hf(Request& request, std::string_view name)
    {
        bool removed = false;
        for (std::size_t n = 0; const sip::Header* header = request.message().nth(name, n); ++n) {
            request.edits().remove(request.message(), *header);
            removed = true;
        }
        return Verdict::of(removed);
    }
    template <bool exact>
    Verdict remove_matching(Request& request, const Regex& pattern)
    {
        bool removed = false;
        for (const sip::Header& header : request.message().headers()) {
            if (pattern.matches(header.name) != exact)
                continue;
            request.edits().remove(request.message(), header);
            removed = true;
        }
        return Verdict::of(removed);
    }

    // --- replacing ---
    // The first (or every) match of the pattern in a part of the message becomes `text`.
    Verdict replace_in(Request& request, std::string_view part, const Regex& pattern, std::string_view text,
                       bool all)
    {
        const std::size_t base = request.message().offset_of(part);
        std::size_t from = 0;
        bool done = false;
        Regex::Match match;
        while (from <= part.size() && pattern.find(part, from, match)) {
            const auto [begin, end] = match.group[0];
            request.edits().replace(base + begin, base + end, text);
            done = true;
            from = end > begin ? end : end + 1;
            if (!all)
                break;
        }
        return Verdict::of(done);
    }
    std::string_view after_start_line(const sip::Message& message) const
    {
        return message.buffer().substr(message.headers_offset());
    }
    Verdict replace(Request& r, const Regex& p, std::string_view text)
    {
        return replace_in(r, after_start_line(r.message()), p, text, false);
    }
    Verdict replace_all(Request& r, const Regex& p, std::string_view text)
    {
        return replace_in(r, after_start_line(r.message()), p, text, true);
    }
    Verdict replace_body(Request& r, const Regex& p, std::string_view text)
    {
        return replace_in(r, r.message().body(), p, text, false);
    }
    Verdict replace_body_all(Request& r, const Regex& p, std::string_view text)
    {
        return replace_in(r, r.message().body(), p, text, true);
    }
    Verdict replace_body_atonce(Request& r, const Regex& p, std::string_view text)
    {
        return replace_body_all(r, p, text);
    }
    Verdict replace_hdrs(Request& r, const Regex& p, std::string_view text)
    {
        return replace_in(r, r.message().headers_text(), p, text, true);
    }

    Verdict substitute(Request& request, std::string_view part, const Substitution& change)
    {
        std::string replacement = expanded(request, change.replacement), out;
        if (change.apply(part, replacement, out) == 0)
            return Verdict::no();
        request.edits().replace(request.message(), part, out);
        return Verdict::yes();
    }
    Verdict subst(Request& r, const Substitution& change)
    {
        return substitute(r, after_start_line(r.message()), change);
    }
    Verdict subst_body(Request& r, const Substitution& change)
    {
        return substitute(r, r.message().body(), change);
    }
    Verdict subst_uri(Request& request, const Substitution& change)
    {
        std::string replacement = expanded(request, change.replacement), out;
        if (change.apply(request.ruri(), replacement, out) == 0)
            return Verdict::no();
        request.set_ruri(out);
        return Verdict::yes();
    }
    Verdict subst_user(Request& request, const Substitution& change)
    {
        const sip::Uri* const uri = request.parsed_ruri();
        if (!uri || !uri->is_sip())
            return Verdict::no();
        std::string replacement = expanded(request, change.replacement), out;
        if (change.apply(uri->user, replacement, out) == 0)
            return Verdict::no();
        sip::Uri changed = *uri;
        changed.user = out;
        changed.has_user = !out.empty();
        request.set_ruri(sip::print(changed, request.arena()));
        return Verdict::yes();
    }
    Verdict subst_hf(Request& request, std::string_view name, const Substitution& change,
                     std::string_view which)
    {
        const sip::Message& message = request.message();
        std::string replacement = expanded(request, change.replacement), out;
        bool done = false;
        const auto one = [&](const sip::Header* header) {
            if (header && change.apply(header->value, replacement, out) != 0) {
                request.edits().replace(message, header->value, out);
                done = true;
            }
        };
        if (which == "f" || which == "l") {
            one(which == "f" ? message.first(name) : message.last(name));
        } else {
            for (std::size_t n = 0; const sip::Header* header = message.nth(name, n); ++n)
                one(header);
        }
        return Verdict::of(done);
    }
    // Variables in the replacement see the message as it is now.
    std::string expanded(Request& request, const std::string& text)
    {
        if (text.find('$') == std::string::npos)
            return text;
        auto format = formats_.with([&](auto& known) { return known[text]; });
        if (!format) {
            auto compiled = host_.compile_format(text);
            if (!compiled) {
                log_.error("'{}': {}", text, compiled.error().text);
                return text;
            }
            format = *compiled;
            formats_.with([&](auto& known) { known[text] = format; });
        }
        return std::string{format->expand(request)};
    }

    Verdict set_body(Request& request, std::string_view body, std::string_view type)
    {
        request.edits().replace_body(request.message(), body, type);
        return Verdict::yes();
    }
    Verdict filter_body(Request& request, std::string_view type)
    {
        const auto* const media = request.message().content_type();
        if (!media)
            return Verdict::no();
        if (media->is(type))
            return Verdict::yes();
        const auto part = multipart_part(request.message().body(), *media, type);
        if (!part)
            return Verdict::no();
        request.edits().replace_body(request.message(), part->body, part->type);
        return Verdict::yes();
    }
    Verdict remove_body(Request& request)
    {
        request.edits().replace_body(request.message(), {});
        return Verdict::yes();
    }

    Host& host_;
    const log::Logger log_;
    // Replacements with variables, compiled at first use; as many as the script has texts.
    Guarded<std::map<std::string, std::shared_ptr<const Host::Format>>> formats_;
};

Manifest<Textops> Textops::manifest()
{
    using M = Textops;
    return {
        .name = "textops",
        .about = "Headers and body of the message: look, add, remove, replace",
        .functions =
            {
                function("is_method", &M::is_method,
                         "True when the method is one of the list \"INVITE|ACK\""),
                function("is_present_hf", &M::is_present_hf, "True when the header is there"),
                function("is_present_hf_re", &M::is_present_hf_re, "True when a header's name matches"),
                function("search", &M::search, "True when the message matches"),
                function("search_body", &M::search_body, "True when the body matches"),
                function("search_hf", &M::search_hf,
                         "True when a header of that name matches; a any, f first, l last"),
                function("has_body", &M::has_body, "True when there is a body"),
                function("has_body", &M::has_body_of, "True when there is a body of that type"),
                function("starts_with", &M::starts_with, "True when the text begins with the prefix"),
                function("ends_with", &M::ends_with, "True when the text ends with the suffix"),
                function("str_find", &M::str_find, "True when the text contains the part"),
                function("cmp_str", &M::cmp_str, "True when the texts are equal"),
                function("cmp_istr", &M::cmp_istr, "True when the texts are equal but for letter case"),
                function("is_privacy", &M::is_privacy, "True when the Privacy header has that value"),
                function("is_audio_on_hold", &M::is_audio_on_hold, "True when the SDP puts audio on hold"),
                function("append_hf", &M::append_hf, "Adds a header after the last one"),
                function("append_hf", &M::append_hf_after, "Adds a header after the first of that name"),
                function("insert_hf", &M::insert_hf, "Adds a header before the first one"),
                function("insert_hf", &M::insert_hf_before, "Adds a header before the first of that name"),
                function("append_urihf", &M::append_urihf,
                         "Adds a header made of prefix, request URI and suffix",
                         Route::request | Route::failure | Route::event),
                function("append_to_reply", &M::append_to_reply, "Adds a header to replies made here"),
                function("append_time", &M::append_time, "Adds Date to replies made here"),
                function("append_time_to_request", &M::append_time_to_request, "Adds Date to the request"),
                function("remove_hf", &M::remove_hf,
                         "Removes every header of that name; false when there was none"),
                function("remove_hf_re", &M::remove_matching<true>, "Removes the headers whose name matches"),
                function("remove_hf_exp", &M::remove_matching<true>, "As remove_hf_re"),
                function("keep_hf_re", &M::remove_matching<false>,
                         "Removes the headers whose name does not match"),
                function("replace", &M::replace, "Replaces the first match in headers and body"),
                function("replace_all", &M::replace_all, "Replaces every match in headers and body"),
                function("replace_body", &M::replace_body, "Replaces the first match in the body"),
                function("replace_body_all", &M::replace_body_all, "Replaces every match in the body"),
                function("replace_body_atonce", &M::replace_body_atonce, "As replace_body_all"),
                function("replace_hdrs", &M::replace_hdrs, "Replaces every match in the headers"),
                function("subst", &M::subst, "Substitutes in headers and body: /re/replacement/flags"),
                function("subst_body", &M::subst_body, "Substitutes in the body"),
                function("subst_uri", &M::subst_uri, "Substitutes in the request URI"),
                function("subst_user", &M::subst_user, "Substitutes in the user of the request URI"),
                function("subst_hf", &M::subst_hf, "Substitutes in a header: a all, f first, l last"),
                function("set_body", &M::set_body, "Sets body and content type"),
                function("filter_body", &M::filter_body,
                         "Keeps the part of a multipart body that has this type"),
                function("remove_body", &M::remove_body, "Removes the body"),
            },
    };
}

} // namespace sipyard::textops

SIPYARD_MODULE(sipyard::textops::Textops)
