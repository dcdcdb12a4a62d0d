// core/script/reference.cpp - modules reading and writing script variables
#include "core/script/reference.h"

namespace sipyard::script {

Value Reference::get(Request& request) const
{
    Entry entry{parts_, parts_.bare, request};
    const Value value = expr_.value(entry.run());
    return expr_.reads_slot() ? keep(entry.run(), value) : value;
}

bool Reference::set(Request& request, const Value& value) const
{
    if (!place_) {
        parts_.bare.log.error("{} is read only", text_);
        return false;
    }
    Entry entry{parts_, parts_.bare, request};
    return place_->assign(entry.run(), value);
}

std::string_view CompiledFormat::expand(Request& request) const
{
    if (const Value* constant = expr_.constant(); constant && constant->is_text())
        return constant->text();
    Entry entry{parts_, parts_.bare, request};
    const Value value = expr_.value(entry.run());
    return value.is_text() && !expr_.reads_slot() ? value.text() : keep_text(entry.run(), value);
}

} // namespace sipyard::script
