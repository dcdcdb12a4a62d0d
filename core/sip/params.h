// core/sip/params.h - ;name=value;flag;name="quoted" after a header value or in a URI
#pragma once

#include "core/sip/complaint.h"

#include <optional>
#include <string_view>

namespace sipyard::sip {

struct Param {
    std::string_view name;
    std::string_view value; // as sent, quotes included; "" for a flag
    bool has_value = false; // `;a=` has one that is empty, `;a` has none
};

// A view of parameters, read when asked. The text is "" or starts at the first ';' (a first ';' may also be
// missing). Names compare without letter case; of repeated ones the first counts.
class ParamsView {
public:
    ParamsView() = default;
    explicit ParamsView(std::string_view text) : text_{text} {}

    std::string_view text() const { return text_; }
    bool empty() const { return text_.empty(); }
    bool has(std::string_view name) const;
    // The value without quotes (escapes kept), "" for a flag; nothing when the parameter is not there.
    std::optional<std::string_view> find(std::string_view name) const;
    // As find, as sent, with where it stands (`value` points into the text).
    std::optional<Param> get(std::string_view name) const;

    // Walks all of them: `for (auto rest = p.text(); ParamsView::next(rest, param);)`. Quotes respected,
    // blanks around names, '=' and values skipped, empty parameters (";;") skipped.
    static bool next(std::string_view& rest, Param& out);

    // Is every quoted value closed? If not, text put behind the parameters would land inside the quotes.
    bool is_closed() const;

    // Grammar of generic-param (RFC 3261 25.1): token names, values of token, host or quoted string.
    Complaint check() const;

private:
    std::string_view text_;
};

} // namespace sipyard::sip
