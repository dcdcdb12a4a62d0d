// core/sip/message_reader.h - the one pass that finds start line, header fields and body; used by message.cpp
// only
#pragma once

#include "core/sip/message.h"

namespace sipyard::sip {

class MessageReader {
public:
    MessageReader(std::string_view buffer, Arena& arena, std::string_view extra_name_chars = {})
        : rest_{buffer}, extra_name_chars_{extra_name_chars}, arena_{arena}
    {
    }
    Result<Message*> read();

private:
    bool take_line(std::string_view& line, std::string_view& whole); // false: no line end in what is left
    Result<void> read_start_line(std::string_view line);
    Result<void> read_status_line(std::string_view line);
    Result<void> read_headers();
    void add_header(std::string_view whole, std::string_view line);
    void fold_into_last(std::string_view whole, std::string_view line);
    void read_body();
    void fault(int code, Complaint reason)
    {
        if (!message_->fault_)
            message_->fault_ = {code, reason};
    }

    bool is_header_name(std::string_view name) const;

    std::string_view rest_;
    const std::string_view extra_name_chars_;
    Arena& arena_;
    Message* message_ = nullptr;
    std::uint32_t room_ = 0;      // allocated headers
    bool last_is_header_ = false; // may the next folded line continue something?
};

} // namespace sipyard::sip
