#include <cmath>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "cache/row_impl.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kExactInDouble = std::int64_t{1} << 53U;

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t n) {
      return i + n < bytes.size() ? static_cast<unsigned char>(bytes[i + n]) : 0U;
    };
    const unsigned group = byte(0) << 16U | byte(1) << 8U | byte(2);
    out += kDigits[group >> 18U & 63U];
    out += kDigits[group >> 12U & 63U];
    out += i + 1 < bytes.size() ? kDigits[group >> 6U & 63U] : '=';
    out += i + 2 < bytes.size() ? kDigits[group & 63U] : '=';
  }
  return out;
}

Json real_json(double number) {
  if (std::isfinite(number)) return number;
  return Json{{"real", std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf"}};
}

Json value_json(ValueView value) {
  switch (value.type()) {
    case ValueType::int64: {
      const std::int64_t number = value.as_int64();
      if (number > kExactInDouble || number < -kExactInDouble) {
        return Json{{"int64", std::to_string(number)}};
      }
      return number;
    }
    case ValueType::real:
      return real_json(value.as_real());
    case ValueType::text:
      return std::string(value.bytes());
    case ValueType::blob:
      return Json{{"base64", base64(value.bytes())}};
    case ValueType::vector: {
      std::vector<float> floats(value.dimension());
      value.copy_vector(floats);
      Json array = Json::array();
      for (const float number : floats) array.push_back(real_json(static_cast<double>(number)));
      return array;
    }
    case ValueType::null:
    case ValueType::repeated:
      break;
  }
  return nullptr;
}

}  // namespace

Row::Row(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Row::Row(Row&&) noexcept = default;
Row& Row::operator=(Row&&) noexcept = default;
Row::~Row() = default;

std::string_view Row::collection() const& { return impl_->collection; }
std::string_view Row::key() const& { return impl_->key; }
std::size_t Row::column_count() const { return impl_->view.size(); }
std::string_view Row::column_name(std::size_t column) const& { return impl_->names->at(column); }
ValueView Row::at(std::size_t column) const& { return impl_->view.at(column); }

std::optional<ValueView> Row::at(std::string_view column) const& {
  for (std::size_t i = 0; i < impl_->names->size(); ++i) {
    if ((*impl_->names)[i] == column) return impl_->view.at(i);
  }
  return std::nullopt;
}

std::string Row::to_json(VectorJson vectors) const {
  Json json = Json::object();
  for (std::size_t i = 0; i < column_count(); ++i) {
    const ValueView value = impl_->view.at(i);
    const bool shortened = value.type() == ValueType::vector && vectors != VectorJson::numbers;
    if (value.type() == ValueType::repeated) continue;
    if (shortened && vectors == VectorJson::nothing) continue;
    json[(*impl_->names)[i]] =
        shortened ? Json{{"dimension", value.dimension()}} : value_json(value);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Row Row::copy() const {
  auto impl = std::make_unique<Impl>();
  impl->collection = impl_->collection;
  impl->key = impl_->key;
  impl->names = impl_->names;
  const auto* const guard = std::get_if<redb::Guard>(&impl_->bytes);
  impl->bytes =
      std::string(guard != nullptr ? guard->bytes() : std::get<std::string>(impl_->bytes));
  const auto view =
      cache::RowView::open(impl->collection, impl->key, std::get<std::string>(impl->bytes));
  TIDEMARK_ASSERT(view.has_value());  // as it was when this row was made
  impl->view = *view;
  return Row(std::move(impl));
}

}  // namespace tidemark
