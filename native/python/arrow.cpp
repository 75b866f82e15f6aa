#include "python/arrow.h"

#include <bit>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>

#include "runtime/error.h"

namespace sardonyx::python {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 48;  // values, children: keeps every sum in range
constexpr int kDeepest = 4;                               // a dictionary of run-end encoded values, and the like

void require(bool ok, const char* what) {
  if (!ok) throw Error(std::string("the Arrow data are not legal: ") + what + "; see the library that made them.");
}

// ---- types ----------------------------------------------------------------------------------------------------------

struct Form {
  Layout layout;
  DType dtype = DType::f64;
  std::int64_t size = 0;  // bytes of a number
  std::int64_t buffers = 2;
};

// Moments without a time zone ("tsu:") and durations ("tDu"), which are counts of the unit that the third letter names.
bool is_moment(std::string_view format) {
  return (format.starts_with("ts") && format.size() == 4 && format[3] == ':') ||
         (format.starts_with("tD") && format.size() == 3);
}

std::optional<Form> form_of(std::string_view format) {
  if (is_moment(format)) return Form{Layout::numbers, DType::i64, 8};
  if (format == "n") return Form{Layout::nulls, DType::f64, 0, 0};
  if (format == "b") return Form{Layout::bits};
  if (format == "u") return Form{Layout::offsets32, DType::text, 0, 3};
  if (format == "U") return Form{Layout::offsets64, DType::text, 0, 3};
  if (format == "vu") return Form{Layout::views, DType::text, 0, 3};
  if (format.size() != 1) return std::nullopt;
  constexpr std::string_view kLetters = "cCsSiIlLfg";
  constexpr DType kTypes[] = {DType::i8,  DType::u8,  DType::i16, DType::u16, DType::i32,
                              DType::u32, DType::i64, DType::u64, DType::f32, DType::f64};
  const std::size_t at = kLetters.find(format[0]);
  if (at == std::string_view::npos) return std::nullopt;
  return Form{Layout::numbers, kTypes[at], static_cast<std::int64_t>(item_size(kTypes[at]))};
}

bool is_run_end_encoded(const ArrowSchema& schema) { return std::strcmp(schema.format, "+r") == 0; }

// The names of Arrow's types that a column of a table may have and that models do not take.
std::string type_name(std::string_view format) {
  struct Name {
    std::string_view prefix;
    const char* name;
  };
  constexpr Name kNames[] = {
      {"tdD", "date32"},
      {"tdm", "date64"},
      {"tt", "time"},
      {"ts", "timestamp with a time zone"},
      {"tD", "duration"},
      {"ti", "interval"},
      {"d:", "decimal"},
      {"vz", "binary view"},
      {"z", "binary"},
      {"Z", "large binary"},
      {"w:", "fixed-size binary"},
      {"+l", "list"},
      {"+L", "large list"},
      {"+vl", "list view"},
      {"+w:", "fixed-size list"},
      {"+s", "struct"},
      {"+m", "map"},
      {"+u", "union"},
      {"e", "half float"},
  };
  for (const Name& name : kNames) {
    if (format.starts_with(name.prefix)) return name.name;
  }
  return "format '" + std::string(format.substr(0, 32)) + "'";
}

// Extension types have a meaning of their own on top of what is stored. Metadata: the number of pairs, then for each
// the key's size and bytes and the value's.
std::string extension_of(const ArrowSchema& schema) {
  constexpr std::string_view kKey = "ARROW:extension:name";
  if (schema.metadata == nullptr) return "";
  const char* at = schema.metadata;
  const auto integer = [&at] {
    std::int32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    at += sizeof value;
    require(value >= 0, "metadata of negative size");
    return value;
  };
  std::string_view pair[2];
  for (std::int32_t left = integer(); left > 0; --left) {
    for (std::string_view& part : pair) {
      const std::int32_t size = integer();
      part = {at, static_cast<std::size_t>(size)};
      at += size;
    }
    if (pair[0] == kKey) return std::string(pair[1].substr(0, 64));
  }
  return "";
}

std::string refused(const ArrowSchema& schema, int depth = 0) {
  if (schema.format == nullptr || depth > kDeepest) return "no type";
  if (const std::string extension = extension_of(schema); !extension.empty()) return extension;
  if (schema.dictionary != nullptr) return refused(*schema.dictionary, depth + 1);
  if (is_run_end_encoded(schema)) {
    const bool whole = schema.n_children == 2 && schema.children != nullptr && schema.children[1] != nullptr;
    return whole ? refused(*schema.children[1], depth + 1) : "run-end encoded without values";
  }
  return form_of(schema.format) && !is_moment(schema.format) ? "" : type_name(schema.format);
}

// ---- arrays ---------------------------------------------------------------------------------------------------------

void check_array(const ArrowArray& array, std::int64_t buffers, std::int64_t first, std::int64_t count) {
  require(array.release != nullptr, "an array was released");
  require(array.length >= 0 && array.length <= kLargest, "an array's length");
  require(array.offset >= 0 && array.offset <= kLargest, "an array's offset");
  require(first >= 0 && count >= 0 && first + count <= array.length, "an array is shorter than its table");
  require(array.n_buffers >= buffers, "an array lacks buffers");
  require(array.n_buffers == 0 || array.buffers != nullptr, "an array has no buffers");
}

class Reader {
 public:
  explicit Reader(Strips& result) : result_(result) {}

  // The strip of values [first, first + count) of an array.
  Strip strip(const ArrowSchema& schema, const ArrowArray& array, std::int64_t first, std::int64_t count,
              int depth = 0) {
    require(depth <= kDeepest, "types are nested too deeply");
    if (is_run_end_encoded(schema)) return run_ends(schema, array, first, count, depth);
    const std::optional<Form> form = form_of(schema.format);
    if (!form) throw Error("it is of Arrow's type " + type_name(schema.format));
    check_array(array, form->buffers, first, count);
    Strip strip;
    strip.layout = form->layout;
    strip.dtype = form->dtype;
    strip.stride = form->size;
    strip.count = count;
    strip.first = array.offset + first;
    if (form->layout == Layout::nulls) return strip;
    if (array.null_count != 0) strip.valid = static_cast<const std::uint8_t*>(array.buffers[0]);
    require(array.null_count <= 0 || strip.valid != nullptr, "nulls without a bitmap");
    strip.values = array.buffers[1];
    require(count == 0 || strip.values != nullptr, "an array has no values");
    if (form->dtype == DType::text) text(array, strip);
    if (schema.dictionary != nullptr) dictionary(schema, array, strip, depth);
    return strip;
  }

 private:
  static void text(const ArrowArray& array, Strip& strip) {
    if (strip.layout != Layout::views) {
      strip.bytes = static_cast<const char*>(array.buffers[2]);
      return;
    }
    // Buffers: who is missing, the views, any number with the long texts, and the sizes of those.
    strip.n_buffers = array.n_buffers - 3;
    strip.buffers = array.buffers + 2;
    strip.sizes = static_cast<const std::int64_t*>(array.buffers[array.n_buffers - 1]);
    require(strip.n_buffers == 0 || strip.sizes != nullptr, "views without sizes of their buffers");
  }

  void dictionary(const ArrowSchema& schema, const ArrowArray& array, Strip& strip, int depth) {
    require(strip.layout == Layout::numbers && strip.dtype != DType::f32 && strip.dtype != DType::f64,
            "codes that are no integers");
    require(array.dictionary != nullptr, "codes without a dictionary");
    Strip entries = this->strip(*schema.dictionary, *array.dictionary, 0, array.dictionary->length, depth + 1);
    strip.dictionary = result_.dictionaries.emplace_back(std::make_unique<Strip>(entries)).get();
  }

  // Runs become codes: the values are a dictionary, a value's code is the number of its run.
  Strip run_ends(const ArrowSchema& schema, const ArrowArray& array, std::int64_t first, std::int64_t count,
                 int depth) {
    require(schema.n_children == 2 && schema.children != nullptr && array.n_children == 2 && array.children != nullptr,
            "runs without ends and values");
    for (int i = 0; i < 2; ++i)
      require(schema.children[i] != nullptr && array.children[i] != nullptr, "a child is missing");
    check_array(array, 0, first, count);
    const ArrowArray &ends = *array.children[0], &values = *array.children[1];
    const Strip run = strip(*schema.children[0], ends, 0, ends.length, depth + 1);
    require(values.length >= ends.length, "runs without values");
    Strip codes;
    codes.layout = Layout::numbers;
    codes.dtype = DType::i64;
    codes.stride = sizeof(std::int64_t);
    codes.count = count;
    auto& numbers = result_.codes.emplace_back(std::make_unique<std::int64_t[]>(static_cast<std::size_t>(count)));
    codes.values = numbers.get();
    std::int64_t at = 0, end = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      for (; end <= array.offset + first + i; ++at) {
        std::int64_t next = 0;
        require(at < ends.length && read_number(run, at, DType::i64, &next) == Item::fits && next > end,
                "the ends of runs");
        end = next;
      }
      numbers[i] = at - 1;
    }
    const Strip entries = strip(*schema.children[1], values, 0, values.length, depth + 1);
    codes.dictionary = result_.dictionaries.emplace_back(std::make_unique<Strip>(entries)).get();
    return codes;
  }

  Strips& result_;
};

}  // namespace

// ---- the table ------------------------------------------------------------------------------------------------------

ArrowTable::ArrowTable(ArrowArrayStream* given) {
  Released<ArrowArrayStream> stream(given);
  ArrowArrayStream* source = stream.get();
  require(source->release != nullptr, "the stream was released, perhaps by being read before");
  const auto ask = [source](auto function, auto* out) {
    require(function != nullptr, "a stream lacks functions");
    if (function(source, out) == 0) return;
    const char* message = source->get_last_error == nullptr ? nullptr : source->get_last_error(source);
    throw Error(std::string("the library that gives the table reports: ") +
                (message == nullptr ? "no reason" : message));
  };
  ask(source->get_schema, schema_.get());
  check_schema();
  for (;;) {
    Released<ArrowArray> chunk;
    ask(source->get_next, chunk.get());
    if (chunk->release == nullptr) return;
    add(std::move(chunk));
  }
}

ArrowTable::ArrowTable(ArrowSchema* schema, ArrowArray* array) : schema_(schema) {
  Released<ArrowArray> chunk(array);
  require(chunk->release != nullptr, "the array was released");
  check_schema();
  add(std::move(chunk));
}

void ArrowTable::check_schema() {
  require(schema_->release != nullptr && schema_->format != nullptr, "no type");
  struct_ = std::strcmp(schema_->format, "+s") == 0;
  if (!struct_) return;
  require(schema_->n_children >= 0 && schema_->n_children <= kLargest, "the number of columns");
  require(schema_->n_children == 0 || schema_->children != nullptr, "columns without a type");
  for (std::int64_t i = 0; i < schema_->n_children; ++i) {
    require(schema_->children[i] != nullptr && schema_->children[i]->format != nullptr, "a column without a type");
  }
}

void ArrowTable::add(Released<ArrowArray>&& chunk) {
  check_array(*chunk, 0, 0, chunk->length);
  if (struct_) {
    require(chunk->n_children == schema_->n_children, "the number of columns changes");
    require(chunk->n_children == 0 || chunk->children != nullptr, "columns without data");
    const bool whole = chunk->null_count == 0 || chunk->n_buffers == 0 || chunk->buffers[0] == nullptr;
    require(whole, "a row of the table is null");
    for (std::int64_t i = 0; i < chunk->n_children; ++i)
      require(chunk->children[i] != nullptr, "a column without data");
  }
  rows_ += chunk->length;
  require(rows_ <= kLargest, "the number of rows");
  chunks_.push_back(std::move(chunk));
}

const ArrowSchema& ArrowTable::schema_of(std::int64_t column) const {
  return struct_ ? *schema_->children[column] : *schema_;
}

const char* ArrowTable::name(std::int64_t column) const {
  const char* name = schema_of(column).name;
  return name == nullptr ? "" : name;
}

std::string ArrowTable::refused_type(std::int64_t column) const { return refused(schema_of(column)); }

std::string ArrowTable::moment(std::int64_t column) const {
  const ArrowSchema& schema = schema_of(column);
  const std::string_view format = schema.format;
  if (!is_moment(format) || schema.dictionary != nullptr || !extension_of(schema).empty()) return "";
  const std::string unit = format[2] == 's' ? "s" : std::string(1, format[2]) + "s";
  return (format[1] == 's' ? "datetime64[" : "timedelta64[") + unit + "]";
}

Strips ArrowTable::strips(std::int64_t column) const {
  Strips result;
  result.chunks.reserve(chunks_.size());
  const ArrowSchema& schema = schema_of(column);
  Reader reader(result);
  for (const Released<ArrowArray>& chunk : chunks_) {
    const ArrowArray& array = struct_ ? *chunk->children[column] : *chunk;
    // A table that starts at an offset starts there in its columns, too.
    result.chunks.push_back(reader.strip(schema, array, struct_ ? chunk->offset : 0, chunk->length));
  }
  return result;
}

ColumnNames::ColumnNames(const ArrowTable& table)
    : table_(table), places_(std::bit_ceil(2 * static_cast<std::size_t>(table.columns()) + 1), -1) {
  for (std::int64_t i = 0; i < table.columns(); ++i) {
    std::int64_t& place = places_[place_of(table.name(i))];
    unique_ = unique_ && place < 0;
    place = i;
  }
}

std::size_t ColumnNames::place_of(std::string_view name) const {
  std::size_t place = std::hash<std::string_view>{}(name) & (places_.size() - 1);
  while (places_[place] >= 0 && table_.name(places_[place]) != name) place = (place + 1) & (places_.size() - 1);
  return place;
}

}  // namespace sardonyx::python
