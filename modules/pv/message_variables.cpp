// modules/pv/message_variables.cpp - what kind of message it is, its parts as text, its flags
#include "modules/pv/lists.h"

#include "core/sip/edits.h"
#include "core/sip/message.h"

namespace sipyard::pv {

namespace {

// --- start line ----------------------------------------------------------------------------------

Value method(Request& r)
{
    if (r.message().is_request())
        return r.message().method_text();
    const auto* cseq = r.message().cseq();
    return cseq ? Value{cseq->method_text} : Value{};
}
Value status(Request& r) { return r.message().is_reply() ? number(r.message().status()) : Value{}; }
Value reason(Request& r) { return r.message().is_reply() ? Value{r.message().reason()} : Value{}; }
Value version(Request& r) { return r.message().version(); }
Value type(Request& r) { return r.message().is_request() ? 1 : 2; }
Value type_text(Request& r) { return r.message().is_request() ? "rq" : "rp"; }

// --- text ----------------------------------------------------------------------------------------

Value length(Request& r) { return number(r.message().buffer().size()); }
Value buffer(Request& r) { return r.message().buffer(); }
Value body(Request& r) { return r.message().body(); }
Value body_length(Request& r) { return number(r.message().body().size()); }
Value headers(Request& r) { return r.message().headers_text(); }
Value first_line(Request& r) { return r.message().start_line(); }
Value first_part(Request& r) { return r.message().buffer().substr(0, r.message().end_of_headers()); }
Value last_part(Request& r) { return r.message().buffer().substr(r.message().headers_offset()); }
Value id(Request& r) { return number(r.id()); }

// The buffer as it would leave now, but for what is decided when it is sent (Via, Record-Route...).
Value updated_buffer(Request& r)
{
    const bool new_uri = r.ruri_changed() && r.message().is_request();
    if (!r.has_edits() && !new_uri)
        return r.message().buffer();
    sip::Edits edits = r.has_edits() ? r.edits().copy(r.arena()) : sip::Edits{r.arena()};
    if (new_uri)
        edits.replace_request_uri(r.message(), r.ruri());
    return sip::apply(r.message(), edits, r.arena());
}

struct MessagePart {
    using Meaning = Get;
    static constexpr std::string_view expected = "len, buf, body, body_len, hdrs, fline, fpart or lpart";
    static constexpr Word<Get> words[] = {
        {"len", length},   {"buf", buffer},       {"body", body},        {"body_len", body_length},
        {"hdrs", headers}, {"fline", first_line}, {"fpart", first_part}, {"lpart", last_part},
    };
};
Value message_part(Request& r, const OneOf<MessagePart>& part) { return part.meaning(r); }

// --- flags ---------------------------------------------------------------------------------------

template <std::uint32_t Request::*flags>
Value decimal(Request& r)
{
    return number(r.*flags);
}

template <std::uint32_t Request::*flags>
Value hexadecimal(Request& r)
{
    char* const text = r.arena().array<char>(8);
    for (unsigned i = 0; i < 8; ++i)
        text[i] = "0123456789ABCDEF"[(r.*flags) >> (28 - 4 * i) & 15];
    return std::string_view{text, 8};
}

template <std::uint32_t Request::*flags>
bool set_flags(Request& r, const Value& value)
{
    if (value.is_text()) {
        logger(r).error("flags take an integer, not \"{}\"", value.text());
        return false;
    }
    r.*flags = static_cast<std::uint32_t>(value.number()); // null: none
    return true;
}

} // namespace

Variables message_variables()
{
    return {
        row("rm", method, "Method; of a reply the one in CSeq"),
        row("rs", status, "Status code of a reply; null in requests"),
        row("rr", reason, "Reason phrase of a reply; null in requests"),
        row("rv", version, "Protocol version: SIP/2.0"),
        row("mt", type, "1 for a request, 2 for a reply"),
        row("mts", type_text, "rq or rp"),
        row("ml", length, "Length of the message in bytes"),
        row("mb", buffer, "The message as received"),
        row("mbu", updated_buffer, "The message with the changes made so far"),
        row("mi", id, "Number of the message in this worker"),
        row("rb", body, "Body, \"\" when there is none"),
        row("msg", message_part, "A part of the message: $msg(len)"),
        row("mf", decimal<&Request::flags>, set_flags<&Request::flags>, "Message flags as a number"),
        row("mF", hexadecimal<&Request::flags>, set_flags<&Request::flags>,
            "Message flags as 8 hexadecimal digits"),
        row("sf", decimal<&Request::script_flags>, set_flags<&Request::script_flags>,
            "Script flags as a number"),
        row("sF", hexadecimal<&Request::script_flags>, set_flags<&Request::script_flags>,
            "Script flags as 8 hexadecimal digits"),
        row("bf", decimal<&Request::branch_flags>, set_flags<&Request::branch_flags>,
            "Flags of the first branch as a number"),
        row("bF", hexadecimal<&Request::branch_flags>, set_flags<&Request::branch_flags>,
            "Flags of the first branch as 8 hexadecimal digits"),
    };
}

} // namespace sipyard::pv
