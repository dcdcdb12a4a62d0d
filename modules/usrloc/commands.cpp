// modules/usrloc/commands.cpp - ul.* for operators, with Kamailio's names and fields
#include "modules/usrloc/usrloc.h"

#include "core/base/format.h"
#include "core/base/text.h"
#include "core/sip/uri.h"

#include <algorithm>
#include <cmath>

namespace sipyard::usrloc {

namespace {

using JsonValue = json::Value;

const JsonValue& param_of(const JsonValue& params, std::size_t index, std::string_view name)
{
    return params.is_object() ? params[name] : params[index];
}

std::string text_of(const JsonValue& value) // a user called 1001 may arrive as a number
{
    return value.is_integer() ? std::to_string(value.integer()) : std::string{value.text()};
}

// Kamailio's place holders for "nothing here".
std::string optional_text(const JsonValue& value)
{
    std::string text = text_of(value);
    return text == "0" || text == "." ? std::string{} : text;
}

std::optional<std::int64_t> number_of(const JsonValue& value)
{
    return value.is_string()    ? parse_int(value.text())
           : value.is_integer() ? std::optional{value.integer()}
                                : std::nullopt;
}

std::string_view or_text(std::string_view text, std::string_view otherwise)
{
    return text.empty() ? otherwise : text;
}

std::string_view state_of(Contact::Stored stored)
{
    switch (stored) {
    case Contact::Stored::fresh: return "CS_NEW";
    case Contact::Stored::clean: return "CS_SYNC";
    default: return "CS_DIRTY";
    }
}

// Removes what `wanted` says.
template <class F>
struct Removal final : Writer {
    F wanted;
    std::size_t removed = 0;
    explicit Removal(F f) : wanted{std::move(f)} {}
    Result<void> plan(std::span<const ContactView> there, std::vector<Change>& changes) override
    {
        for (std::size_t i = 0; i < there.size(); ++i)
            if (wanted(there[i])) {
                changes.push_back({Change::Step::remove, i});
                ++removed;
            }
        return {};
    }
};

} // namespace

JsonValue Usrloc::contact_of(const ContactView& v, Contact::Stored stored) const
{
    const std::int64_t now = host_.clock().unix_seconds();
    JsonValue c = JsonValue::object();
    c.set("Address", v.contact);
    if (v.expires == 0)
        c.set("Expires", "permanent");
    else if (v.is_expired(now))
        c.set("Expires", "expired");
    else
        c.set("Expires", v.expires - now);
    c.set("Q", v.q < 0 ? JsonValue{-1} : JsonValue{v.q / 1000.0});
    c.set("Call-ID", v.call_id).set("CSeq", v.cseq).set("User-Agent", or_text(v.user_agent, "[not set]"));
    c.set("Received", or_text(v.received, "[not set]")).set("Path", or_text(v.path, "[not set]"));
    c.set("State", state_of(stored)).set("Flags", v.flags).set("CFlags", v.cflags);
    const std::string socket = v.socket.empty() && v.listener ? v.listener->text() : std::string{v.socket};
    c.set("Socket", or_text(socket, "[not set]")).set("Methods", v.methods).set("Ruid", v.ruid);
    c.set("Instance", or_text(v.instance, "[not set]")).set("Reg-Id", v.reg_id).set("Server-Id", v.server_id);
    c.set("Tcpconn-Id",
          v.connection ? JsonValue{static_cast<std::int64_t>(v.connection.value)} : JsonValue{-1});
    c.set("Keepalive", nat_flag_ != 0 && (v.cflags & nat_flag_) != 0 ? 1 : 0);
    c.set("Last-Keepalive", v.last_modified).set("KA-Roundtrip", 0).set("Last-Modified", v.last_modified);
    return JsonValue::object().set("Contact", std::move(c));
}

Result<Domain*> Usrloc::table_of(const JsonValue& params)
{
    Domain* const found = known(text_of(param_of(params, 0, "table")));
    if (!found)
        return Error{ErrorKind::not_found, "Domain table not found"};
    return found;
}

Result<JsonValue> Usrloc::dump_command(const JsonValue& params)
{
    const bool brief = text_of(param_of(params, 0, "mode")) == "brief";
    if (mode_ == Mode::database_only)
        return Error{ErrorKind::unsupported, "Command is not supported in db_mode=3"};
    JsonValue domains = JsonValue::array();
    for (const auto& place : domains_) {
        Domain* const one = place.load(std::memory_order_acquire);
        if (!one)
            break;
        JsonValue aors = JsonValue::array();
        std::size_t size = 0, records = 0, bytes = 0;
        for (std::size_t s = 0; s < Domain::shards; ++s) {
            one->shard(s).with([&](Shard& shard) {
                size += shard.buckets();
                bytes += shard.bytes();
                records += shard.records();
                for (std::size_t b = 0; b < shard.buckets(); ++b)
                    shard.in_bucket(b, [&](Record& record) {
                        JsonValue contacts = JsonValue::array();
                        for (const Contact* c = record.first; c; c = c->next)
                            contacts.add(
                                brief ? JsonValue::object().set(
                                            "Contact", JsonValue::object().set("Address", c->view().contact))
                                      : contact_of(c->view(), c->stored));
                        aors.add(JsonValue::object().set("Info", JsonValue::object()
                                                                     .set("AoR", record.aor())
                                                                     .set("HashID", s)
                                                                     .set("Contacts", std::move(contacts))));
                    });
            });
            if (task::Fiber::current())
                task::yield();
        }
        domains.add(JsonValue::object().set("Domain", JsonValue::object()
                                                          .set("Domain", one->name())
                                                          .set("Size", size)
                                                          .set("AoRs", std::move(aors))
                                                          .set("Stats", JsonValue::object()
                                                                            .set("Records", records)
                                                                            .set("Contacts", one->size())
                                                                            .set("Bytes", bytes))));
    }
    return JsonValue::object().set("Domains", std::move(domains));
}

// A flat list, which sipyardctl shows as a table.
Result<JsonValue> Usrloc::show_command(const JsonValue& params)
{
    const std::string table = text_of(param_of(params, 0, "table"));
    const std::size_t most = static_cast<std::size_t>(
        std::clamp<std::int64_t>(param_of(params, 1, "most").integer(1000), 1, 100'000));
    const std::int64_t now = host_.clock().unix_seconds();
    struct List final : Reader {
        JsonValue rows = JsonValue::array();
        std::size_t most = 0;
        std::int64_t now = 0;
        void read(std::span<const ContactView> contacts) override
        {
            for (const ContactView& v : contacts) {
                if (rows.size() >= most)
                    return;
                JsonValue row = JsonValue::object();
                row.set("aor", v.aor).set("contact", v.contact).set("received", v.received);
                row.set("expires", v.expires == 0 ? JsonValue{"never"} : JsonValue{v.expires - now});
                row.set("q", v.q < 0 ? JsonValue{}
                                     : JsonValue{format("{}.{}{}{}", v.q / 1000, v.q / 100 % 10,
                                                        v.q / 10 % 10, v.q % 10)});
                row.set("user_agent", v.user_agent);
                rows.add(std::move(row));
            }
        }
    } list;
    list.most = most;
    list.now = now;
    TRYV(for_each(table.empty() ? "location" : table, 0, list));
    return std::move(list.rows);
}

Result<JsonValue> Usrloc::lookup_command(const JsonValue& params)
{
    TRY(Domain* const where, table_of(params));
    const std::string aor = text_of(param_of(params, 1, "aor"));
    struct List final : Reader {
        const Usrloc& module;
        JsonValue contacts = JsonValue::array();
        explicit List(const Usrloc& m) : module{m} {}
        void read(std::span<const ContactView> found) override
        {
            const auto stored = module.mode_ == Mode::memory || module.mode_ == Mode::write_back
                                    ? Contact::Stored::fresh
                                    : Contact::Stored::clean;
            for (const ContactView& view : found)
                contacts.add(module.contact_of(view, stored));
        }
    } list{*this};
    TRY(const bool found, lookup(where->name(), aor, list));
    if (!found)
        return Error{ErrorKind::not_found, "AOR not found in location table"};
    return JsonValue::object().set("AoR", aor).set("Contacts", std::move(list.contacts));
}

Result<JsonValue> Usrloc::rm_command(const JsonValue& params)
{
    TRY(Domain* const where, table_of(params));
    Removal all{[](const ContactView&) { return true; }};
    TRYV(change(where->name(), text_of(param_of(params, 1, "aor")), Storage::as_configured, all));
    return JsonValue::object();
}

Result<JsonValue> Usrloc::rm_contact_command(const JsonValue& params)
{
    TRY(Domain* const where, table_of(params));
    const std::string contact = text_of(param_of(params, 2, "contact"));
    Removal one{[&contact](const ContactView& view) { return same_contact(view.contact, contact); }};
    TRYV(change(where->name(), text_of(param_of(params, 1, "aor")), Storage::as_configured, one));
    if (one.removed == 0)
        return Error{ErrorKind::not_found, "Contact not found"};
    return JsonValue::object();
}

Result<JsonValue> Usrloc::add_command(const JsonValue& params)
{
    const std::string table = text_of(param_of(params, 0, "table")),
                      aor = text_of(param_of(params, 1, "aor")),
                      contact = text_of(param_of(params, 2, "contact")),
                      path = optional_text(param_of(params, 5, "path")),
                      received = optional_text(param_of(params, 9, "received")),
                      socket = optional_text(param_of(params, 10, "socket"));
    const auto expires = number_of(param_of(params, 3, "expires"));
    const JsonValue& quality = param_of(params, 4, "q");
    const double q =
        quality.is_string() ? std::strtod(std::string{quality.text()}.c_str(), nullptr) : quality.real(-1);
    sip::Uri uri;
    if (table.empty() || aor.empty() || !sip::read(contact, uri).empty() || contact.size() > 512 ||
        !expires || *expires < 0 || *expires > INT32_MAX || q > 1)
        return invalid("expected TABLE AOR CONTACT EXPIRES Q PATH FLAGS CFLAGS METHODS [RECEIVED [SOCKET]]");

    struct Add final : Writer {
        const Usrloc& module;
        ContactView view;
        explicit Add(const Usrloc& m) : module{m} {}
        Result<void> plan(std::span<const ContactView> there, std::vector<Change>& changes) override
        {
            const ContactView* const same = module.match(there, view);
            if (same)
                changes.push_back(
                    {Change::Step::update, static_cast<std::size_t>(same - there.data()), view});
            else
                changes.push_back({Change::Step::insert, 0, view});
            return {};
        }
    } add{*this};
    add.view.contact = contact;
    add.view.path = path;
    add.view.received = received;
    add.view.socket = socket;
    add.view = with_listener(add.view);
    add.view.call_id = "rpc@sipyard";
    add.view.user_agent = "sipyard RPC";
    add.view.cseq = 1;
    const std::int64_t now = host_.clock().unix_seconds();
    add.view.expires = *expires == 0 ? 0 : now + *expires; // 0: permanent, as in Kamailio
    add.view.last_modified = now;
    add.view.q = q < 0 ? -1 : static_cast<int>(std::lround(q * 1000));
    add.view.flags = static_cast<std::uint32_t>(number_of(param_of(params, 6, "flags")).value_or(0));
    add.view.cflags = static_cast<std::uint32_t>(number_of(param_of(params, 7, "cflags")).value_or(0));
    const auto methods = number_of(param_of(params, 8, "methods")).value_or(0);
    add.view.methods = methods == 0 ? all_methods : static_cast<std::uint32_t>(methods);
    add.view.server_id = static_cast<std::uint32_t>(host_.core().server_id);
    TRYV(change(table, aor, Storage::as_configured, add));
    return JsonValue::object();
}

Result<JsonValue> Usrloc::flush_command(const JsonValue&)
{
    TRYV(flush());
    return JsonValue::object();
}

Result<usrloc::Storage::Counts> Usrloc::counts_of(const JsonValue& params)
{
    if (!storage_)
        return Error{ErrorKind::unsupported, "Command is not supported in db_mode=0"};
    TRY(const std::string table, db::identifier(text_of(param_of(params, 0, "table"))));
    return storage_->count(table, host_.clock().unix_seconds());
}

Result<JsonValue> Usrloc::db_users_command(const JsonValue& params)
{
    TRY(const auto counts, counts_of(params));
    return JsonValue::object().set("Users", counts.users);
}

Result<JsonValue> Usrloc::db_contacts_command(const JsonValue& params)
{
    TRY(const auto counts, counts_of(params));
    return JsonValue::object().set("Contacts", counts.contacts);
}

Result<JsonValue> Usrloc::db_expired_command(const JsonValue& params)
{
    TRY(const auto counts, counts_of(params));
    return JsonValue::object().set("Contacts", counts.expired);
}

} // namespace sipyard::usrloc
