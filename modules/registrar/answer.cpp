// modules/registrar/answer.cpp - written in one pass into room that was counted before
#include "modules/registrar/answer.h"

#include "core/base/text.h"

#include <algorithm>
#include <cstring>

namespace sipyard::registrar {

namespace {

class Line {
public:
    explicit Line(char* to) : begin_{to}, at_{to} {}
    Line& operator<<(std::string_view text)
    {
        if (!text.empty())
            std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
        return *this;
    }
    Line& operator<<(std::int64_t number)
    {
        at_ += put_int(at_, number);
        return *this;
    }
    Line& q(int value)
    {
        at_ += put_q(at_, value);
        return *this;
    }
    std::string_view text() const { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

private:
    char *const begin_, *at_;
};

// "<urn:uuid:...>" without its brackets
std::string_view plain(std::string_view instance)
{
    return instance.size() >= 2 && instance.front() == '<' && instance.back() == '>'
               ? instance.substr(1, instance.size() - 2)
               : instance;
}

} // namespace

std::size_t put_q(char* to, int q)
{
    q = std::clamp(q, 0, 1000);
    if (q == 1000 || q == 0) {
        *to = q ? '1' : '0';
        return 1;
    }
    to[0] = '0';
    to[1] = '.';
    std::size_t size = 2;
    for (int unit = 100; q > 0; unit /= 10) {
        to[size++] = static_cast<char>('0' + q / unit);
        q %= unit;
    }
    return size;
}

std::string_view contact_header(std::span<const usrloc::ContactView> contacts, const ContactStyle& style,
                                Arena& arena)
{
    if (contacts.empty())
        return {};
    std::size_t size = 16;
    for (const auto& c : contacts) {
        size += c.contact.size() + c.received.size() + style.received_param.size() + c.instance.size() + 96;
        if (style.gruu && !c.instance.empty())
            size +=
                c.instance.size() + c.ruid.size() + style.gruu_user.size() + 2 * style.gruu_host.size() + 64;
    }
    Line line{arena.array<char>(size)};
    line << "Contact: ";
    bool first = true;
    for (const auto& c : contacts) {
        line << (first ? "<" : ", <") << c.contact << ">";
        first = false;
        if (c.q >= 0)
            line << ";q=", line.q(c.q);
        line << ";expires="
             << (c.expires == 0 ? INT32_MAX : std::max<std::int64_t>(c.expires - style.now, 0));
        if (!c.received.empty() && !style.received_param.empty())
            line << ";" << style.received_param << "=\"" << c.received << "\"";
        if (c.instance.empty())
            continue;
        if (style.gruu) {
            line << ";pub-gruu=\"sip:" << style.gruu_user << (style.gruu_user.empty() ? "" : "@")
                 << style.gruu_host << ";gr=" << plain(c.instance) << "\"";
            line << ";temp-gruu=\"sip:" << c.ruid << "@" << style.gruu_host << ";gr\"";
        }
        line << ";+sip.instance=\"" << c.instance << "\"";
        if (c.reg_id != 0)
            line << ";reg-id=" << std::int64_t{c.reg_id};
    }
    line << "\r\n";
    return line.text();
}

} // namespace sipyard::registrar
