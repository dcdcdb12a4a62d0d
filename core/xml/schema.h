// core/xml/schema.h - an XML Schema compiled once, asked often
#pragma once

#include "core/base/result.h"
#include "core/xml/check.h"
#include "core/xml/document.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sipyard::xml {

// A schema text that another one may include or import by this schemaLocation.
struct SchemaPart {
    std::string location;
    std::string text;
};

// Immutable after compile(); validate() may run on several threads at once.
class Schema {
public:
    // `parts` is all that includes and imports find; no file and no network is touched.
    static Result<Schema> compile(std::string_view text, std::span<const SchemaPart> parts = {});
    Schema(Schema&&) noexcept;
    Schema& operator=(Schema&&) noexcept;
    ~Schema();

    // Fails with `constraint` and the first message (at most 200 bytes, no file name); the text form fails as
    // Document::parse does when the text is no document. Not concurrently on one Document; its
    // xsi:schemaLocation attributes are ignored and gone afterwards.
    Result<void> validate(const Document& document) const;
    Result<void> validate(std::string_view text, const Limits& limits = {}) const;

private:
    struct Compiled;
    explicit Schema(std::unique_ptr<Compiled> compiled);
    std::unique_ptr<Compiled> compiled_;
};

} // namespace sipyard::xml
