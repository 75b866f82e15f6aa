// The loader of .sdx files (runtime/sdx.h): a file is hostile until all of it was checked here, or by a kernel's
// check().
//
//   header ─▶ where the tables are ─▶ metadata ─▶ slots, and their constants ─▶ inputs, outputs ─▶ steps, one by one
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <new>
#include <set>
#include <string_view>

#include "runtime/error.h"
#include "runtime/program.h"
#include "runtime/sdx.h"
#include "runtime/utf8.h"

namespace sardonyx {
namespace {

using namespace sdx;

bool is_half(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }

[[noreturn]] void refuse(const char* format, ...) __attribute__((format(printf, 1, 2)));
void refuse(const char* format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  throw Error(std::string("not a legal program: ") + message + ". Compile the model again (Session.save).");
}

std::uint64_t round_up(std::uint64_t size, std::uint64_t unit) { return (size + unit - 1) / unit * unit; }

}  // namespace

class Loader {
 public:
  Loader(Program& program, Isa at_most) : program_(program), file_(program.file_), at_most_(at_most) {}

  void load() {
    read_header();
    find_sections();
    read_metadata();
    read_slots();
    read_interface();
    read_steps();
    check_outputs();
    check_all_consumed();
  }

 private:
  // ---- sections ----------------------------------------------------------------------------------------------------

  void read_header() {
    if (file_.size() < sizeof header_) refuse("%zu bytes are fewer than a header", file_.size());
    std::memcpy(&header_, file_.data(), sizeof header_);
    if (std::memcmp(header_.magic, kMagic, sizeof kMagic) != 0) refuse("it does not begin like an .sdx file");
    if (header_.version != kVersion) {
      refuse("format version %u, this library reads %u", header_.version, kVersion);
    }
    if (header_.block_rows > kMaxBlockRows) refuse("block_rows is %u", header_.block_rows);
    if (header_.reserved != 0) refuse("a reserved header field is not 0");
    program_.block_rows_ = header_.block_rows;
  }

  // Tables follow each other without gaps; only their counts are in the header. 64-bit sums of 32-bit counts times
  // small sizes cannot overflow; the two sizes given in 64 bits are bounded by the file first.
  void find_sections() {
    if (header_.text_size > file_.size() || header_.data_size > file_.size())
      refuse("a section is larger than the file");
    std::uint64_t at = sizeof(FileHeader);
    slots_at_ = section(at, header_.n_slots, sizeof(FileSlot));
    steps_at_ = section(at, header_.n_steps, sizeof(FileStep));
    metadata_at_ = section(at, header_.n_metadata, sizeof(FileMetadata));
    params_at_ = section(at, header_.n_params, sizeof(Param));
    ids_at_ = section(at, header_.n_ids, sizeof(std::uint32_t));
    kinds_at_ = section(at, header_.n_params, 1);
    text_at_ = section(at, header_.text_size, 1);
    data_at_ = round_up(at, 64);
    if (data_at_ + header_.data_size != file_.size()) {
      refuse("the file has %zu bytes, its header says %llu", file_.size(),
             static_cast<unsigned long long>(data_at_ + header_.data_size));
    }
  }

  static std::uint64_t section(std::uint64_t& at, std::uint64_t count, std::uint64_t item) {
    const std::uint64_t begin = at;
    at += count * item;
    return begin;
  }

  template <class T>
  T read(std::uint64_t section, std::uint64_t index) const {
    T value;
    std::memcpy(&value, file_.data() + section + index * sizeof(T), sizeof(T));
    return value;
  }

  // Texts may not overlap (their sizes add up to no more than the section): a small file cannot fill the memory.
  std::string text(TextRef ref) {
    text_read_ += ref.size;
    if (std::uint64_t{ref.at} + ref.size > header_.text_size || text_read_ > header_.text_size) {
      refuse("a name lies outside the text section");
    }
    const char* begin = reinterpret_cast<const char*>(file_.data() + text_at_ + ref.at);
    if (!is_utf8(begin, ref.size)) refuse("a name is not UTF-8");
    return std::string(begin, ref.size);
  }

  // ---- slots -------------------------------------------------------------------------------------------------------

  void read_metadata() {
    for (std::uint32_t i = 0; i < header_.n_metadata; ++i) {
      const auto entry = read<FileMetadata>(metadata_at_, i);
      program_.metadata_.emplace_back(text(entry.key), text(entry.value));
    }
  }

  void read_slots() {
    program_.slots_.reserve(header_.n_slots);
    for (std::uint32_t i = 0; i < header_.n_slots; ++i) {
      const auto record = read<FileSlot>(slots_at_, i);
      program_.slots_.push_back(read_slot(record));
      if (record.role == static_cast<int>(Role::constant)) place_constant(program_.slots_.back(), record);
    }
    written_.assign(header_.n_slots, false);
    for (std::uint32_t i = 0; i < header_.n_slots; ++i) written_[i] = program_.slots_[i].role == Role::constant;
  }

  Slot read_slot(const FileSlot& record) {
    if (record.dtype < 1 || record.dtype > static_cast<int>(DType::bf16)) refuse("unknown dtype %u", record.dtype);
    if (record.role > 1) refuse("unknown slot role %u", record.role);
    if (record.rank > kMaxRank) refuse("rank %u is above %d", record.rank, kMaxRank);
    if (std::any_of(std::begin(record.reserved), std::end(record.reserved), [](int byte) { return byte != 0; })) {
      refuse("a reserved slot field is not 0");
    }
    Slot slot{text(record.name), static_cast<Role>(record.role), {}, 0};
    slot.tensor.dtype = static_cast<DType>(record.dtype);
    slot.tensor.constant = slot.role == Role::constant;
    slot.tensor.sparse = is_sparse(record);
    slot.tensor.rank = record.rank;
    slot.tensor.width = width_of(record, slot.tensor.constant ? kMaxConstant : kMaxWidth);
    std::copy(std::begin(record.dims), std::end(record.dims), slot.tensor.dims);
    slot.row_bytes = static_cast<std::size_t>(slot.tensor.width) * item_size(slot.tensor.dtype);
    if (slot.role == Role::row && (record.data_at != 0 || record.data_size != 0)) refuse("a row slot has data");
    return slot;
  }

  static bool is_sparse(const FileSlot& record) {
    if (record.sparse > 1) refuse("unknown slot form %u", record.sparse);
    if (record.sparse == 0) return false;
    if (record.role != static_cast<int>(Role::row)) refuse("a sparse slot that holds no rows");
    if (record.rank != 1) refuse("a sparse slot of rank %u", record.rank);
    if (record.dims[0] > kMaxSparseWidth)
      refuse("a sparse slot of %lld columns", static_cast<long long>(record.dims[0]));
    if (record.dtype == static_cast<int>(DType::text)) refuse("a sparse slot of text");
    if (is_half(static_cast<DType>(record.dtype))) refuse("a sparse slot of floats of 16 bits");
    return true;
  }

  // The limit holds for the non-zero dimensions too: (0, 2^31, 2^31) would be empty and yet take forever to walk.
  static std::int64_t width_of(const FileSlot& record, std::uint64_t limit) {
    std::uint64_t product = 1;
    bool empty = false;
    for (int d = 0; d < kMaxRank; ++d) {
      const std::int64_t dim = record.dims[d];
      if (d >= record.rank && dim != 0) refuse("a dimension beyond the rank is not 0");
      if (d >= record.rank) continue;
      if (dim < 0 || dim > kMaxWidth) refuse("dimension %lld", static_cast<long long>(dim));
      empty = empty || dim == 0;
      product *= dim == 0 ? 1 : static_cast<std::uint64_t>(dim);  // at most 2^32 * 2^31: cannot wrap
      if (product > limit) refuse("a slot of more than %llu elements", static_cast<unsigned long long>(limit));
    }
    return empty ? 0 : static_cast<std::int64_t>(product);
  }

  void place_constant(Slot& slot, const FileSlot& record) {
    if (record.data_at % 64 != 0) refuse("a constant is not aligned to 64 bytes");
    if (record.data_at > header_.data_size || record.data_size > header_.data_size - record.data_at) {
      refuse("a constant lies outside the data section");
    }
    const std::byte* data = file_.data() + data_at_ + record.data_at;
    if (slot.tensor.dtype == DType::text) return place_text(slot, data, record.data_size);
    if (record.data_size != slot.row_bytes) refuse("constant '%s' has the wrong size", slot.name.c_str());
    const auto is_bool = [](std::byte byte) { return static_cast<unsigned>(byte) <= 1; };
    if (slot.tensor.dtype == DType::boolean && !std::all_of(data, data + record.data_size, is_bool)) {
      refuse("constant '%s' has a bool that is neither 0 nor 1", slot.name.c_str());
    }
    slot.tensor.data = const_cast<std::byte*>(data);  // kernels do not write to constants
  }

  // offsets int64 [width + 1], then the UTF-8 bytes they point into
  void place_text(Slot& slot, const std::byte* data, std::uint64_t size) {
    const auto width = static_cast<std::uint64_t>(slot.tensor.width);
    if (size / sizeof(std::int64_t) < width + 1) refuse("constant '%s' has the wrong size", slot.name.c_str());
    const std::uint64_t head = (width + 1) * sizeof(std::int64_t);
    const char* bytes = reinterpret_cast<const char*>(data) + head;
    const auto offset = [data](std::uint64_t i) {
      std::int64_t value;
      std::memcpy(&value, data + i * sizeof value, sizeof value);
      return value;
    };
    if (offset(0) != 0 || offset(width) != static_cast<std::int64_t>(size - head)) refuse("string offsets do not fit");
    auto texts = std::make_unique<Text[]>(width);
    for (std::uint64_t i = 0; i < width; ++i) {
      const std::int64_t begin = offset(i), end = offset(i + 1);
      if (begin > end || begin < 0 || end > static_cast<std::int64_t>(size - head)) refuse("string offsets decrease");
      if (!is_utf8(bytes + begin, static_cast<std::size_t>(end - begin))) refuse("a string constant is not UTF-8");
      texts[i] = {bytes + begin, end - begin};
    }
    slot.tensor.data = texts.get();
    program_.texts_.push_back(std::move(texts));
  }

  // ---- inputs, outputs, steps --------------------------------------------------------------------------------------

  std::int32_t next_id() {
    if (ids_read_ >= header_.n_ids) refuse("the list of slot numbers is too short");
    const auto id = read<std::uint32_t>(ids_at_, ids_read_++);
    if (id >= header_.n_slots) refuse("slot %u of %u", id, header_.n_slots);
    return static_cast<std::int32_t>(id);
  }

  void write(std::int32_t slot) {
    if (written_[slot]) refuse("slot %d ('%s') is written twice", slot, program_.slots_[slot].name.c_str());
    written_[slot] = true;
  }

  void read_interface() {
    if (header_.n_inputs == 0) refuse("it has no input, so nothing would say how many rows there are");
    std::set<std::string_view> names;
    for (std::uint32_t i = 0; i < header_.n_inputs; ++i) {
      const std::int32_t slot = next_id();
      write(slot);
      program_.slots_[slot].entries = slot;
      program_.inputs_.push_back(slot);
      if (!names.insert(program_.slots_[slot].name).second) refuse("two inputs have the same name");
    }
    names.clear();
    for (std::uint32_t i = 0; i < header_.n_outputs; ++i) {
      const std::int32_t slot = next_id();
      program_.outputs_.push_back(slot);
      if (!names.insert(program_.slots_[slot].name).second) refuse("two outputs have the same name");
    }
  }

  void read_steps() {
    program_.steps_.reserve(header_.n_steps);  // the destructor and Step pointers rely on elements staying in place
    for (std::uint32_t i = 0; i < header_.n_steps; ++i) {
      const auto record = read<FileStep>(steps_at_, i);
      if (record.reserved != 0) refuse("a reserved step field is not 0");
      if (std::max(record.n_inputs, record.n_outputs) > kMaxArity) refuse("a step of too many slots");
      LoadedStep& loaded = program_.steps_.emplace_back();
      read_ids(loaded, record);
      read_params(loaded, record.n_params);
      loaded.label = text(record.label);
      find_kernel_of(loaded, text(record.kernel));
      bind(loaded);
      check(loaded, header_.block_rows);
    }
  }

  void read_ids(LoadedStep& loaded, const FileStep& record) {
    for (std::uint32_t k = 0; k < record.n_inputs; ++k) {
      const std::int32_t slot = next_id();
      if (!written_[slot]) refuse("slot %d is read before it is written", slot);
      loaded.inputs.push_back(slot);
    }
    for (std::uint32_t k = 0; k < record.n_outputs; ++k) {
      const std::int32_t slot = next_id();
      write(slot);
      loaded.outputs.push_back(slot);
    }
  }

  void read_params(LoadedStep& loaded, std::uint32_t count) {
    if (count > header_.n_params - params_read_) refuse("the list of parameters is too short");
    for (std::uint32_t k = 0; k < count; ++k, ++params_read_) {
      const auto kind = read<std::uint8_t>(kinds_at_, params_read_);
      if (kind > 1) refuse("unknown parameter kind %u", kind);
      loaded.params.push_back(read<Param>(params_at_, params_read_));
      loaded.param_kinds.push_back(static_cast<ParamKind>(kind));
    }
  }

  void find_kernel_of(LoadedStep& loaded, const std::string& name) const {
    loaded.entry = find_kernel(name.c_str(), at_most_);
    if (loaded.entry == nullptr || name.find('\0') != std::string::npos) {
      refuse("unknown kernel '%s'; the program was compiled by a newer sardonyx", name.c_str());
    }
  }

  void bind(LoadedStep& loaded) const {
    for (const auto* list : {&loaded.inputs, &loaded.outputs}) {
      for (const std::int32_t slot : *list) loaded.tensors.push_back(program_.slots_[slot].tensor);
    }
    loaded.step = {loaded.tensors.data(),
                   loaded.tensors.data() + loaded.inputs.size(),
                   loaded.params.data(),
                   loaded.param_kinds.data(),
                   static_cast<std::int32_t>(loaded.inputs.size()),
                   static_cast<std::int32_t>(loaded.outputs.size()),
                   static_cast<std::int32_t>(loaded.params.size())};
  }

  // Which sparse slots have the same entries: established here, as a step on entries reads several of them at once.
  void set_entries(LoadedStep& loaded) {
    const Kernel& kernel = loaded.entry->kernel;
    const auto is_sparse = [](const Tensor& tensor) { return tensor.sparse; };
    loaded.by_element = kernel.by_element && std::ranges::any_of(loaded.tensors, is_sparse);
    for (const std::int32_t slot : loaded.outputs) program_.slots_[slot].entries = slot;
    if (!loaded.by_element && !kernel.keeps_entries) return;
    const auto from =
        std::ranges::find_if(loaded.inputs, [&](std::int32_t slot) { return program_.slots_[slot].tensor.sparse; });
    if (from == loaded.inputs.end()) return;
    for (const std::int32_t slot : loaded.outputs) program_.slots_[slot].entries = program_.slots_[*from].entries;
  }

  void check_by_element(LoadedStep& loaded) const {
    std::int32_t entries = -1;
    if (loaded.tensors.size() > kMaxByElement) fail("too many operands for a step on entries");
    for (const std::int32_t number : loaded.inputs) {
      const Slot& slot = program_.slots_[number];
      if (!slot.tensor.sparse && !slot.tensor.constant) fail("sparse rows meet dense ones");
      if (!slot.tensor.sparse) continue;
      if (entries >= 0 && slot.entries != entries) fail("sparse rows that have not the same entries");
      entries = slot.entries;
    }
    for (const std::int32_t number : loaded.outputs) {
      if (!program_.slots_[number].tensor.sparse) fail("an output of a step on entries is dense");
      if (program_.slots_[number].tensor.width != width_of_entries(loaded)) fail("the output differs in width");
    }
    Tensor tensors[kMaxByElement];
    loaded.entry->kernel.check(by_element_step(loaded.step, tensors));
  }

  std::int64_t width_of_entries(const LoadedStep& loaded) const {
    for (const Tensor& tensor : loaded.tensors) {
      if (tensor.sparse) return tensor.width;
    }
    return -1;
  }

  void check(LoadedStep& loaded, std::int64_t block_rows) {
    const auto is_sparse = [](const Tensor& tensor) { return tensor.sparse; };
    try {
      set_entries(loaded);
      if (loaded.by_element) return check_by_element(loaded);
      if (!loaded.entry->kernel.sparse && std::ranges::any_of(loaded.tensors, is_sparse)) {
        fail("the kernel does not know sparse rows");
      }
      const auto has_half = [](const Tensor& tensor) { return is_half(tensor.dtype); };
      if (!loaded.entry->kernel.halves && std::ranges::any_of(loaded.tensors, has_half)) {
        fail("the kernel does not know floats of 16 bits");
      }
      loaded.entry->kernel.check(loaded.step);
      if (loaded.entry->kernel.whole_batch && block_rows != 0) fail("it must see all rows, block_rows is not 0");
      if (loaded.entry->kernel.prepare != nullptr) loaded.state = loaded.entry->kernel.prepare(loaded.step);
    } catch (const Error& error) {
      refuse("step '%s' (%s): %s", loaded.label.c_str(), loaded.entry->name, error.what());
    }
  }

  void check_outputs() const {
    for (const std::int32_t slot : program_.outputs_) {
      if (!written_[slot]) refuse("output '%s' is never written", program_.slots_[slot].name.c_str());
    }
  }

  void check_all_consumed() const {
    if (ids_read_ != header_.n_ids || params_read_ != header_.n_params)
      refuse("slot numbers or parameters are left over");
    if (std::find(written_.begin(), written_.end(), false) != written_.end()) refuse("a slot is never written");
  }

  Program& program_;
  std::span<const std::byte> file_;
  Isa at_most_;
  FileHeader header_{};
  std::uint64_t slots_at_ = 0, steps_at_ = 0, metadata_at_ = 0, params_at_ = 0, ids_at_ = 0, kinds_at_ = 0;
  std::uint64_t text_at_ = 0, data_at_ = 0, text_read_ = 0;
  std::uint32_t ids_read_ = 0, params_read_ = 0;
  std::vector<bool> written_;
};

namespace {

std::shared_ptr<const void> aligned_copy(std::span<const std::byte>& file) {
  auto* copy = static_cast<std::byte*>(::operator new(file.size(), std::align_val_t{64}));
  std::memcpy(copy, file.data(), file.size());
  file = {copy, file.size()};
  return {copy, [](void* memory) { ::operator delete(memory, std::align_val_t{64}); }};
}

}  // namespace

std::unique_ptr<Program> Program::load(std::span<const std::byte> file, std::shared_ptr<const void> owner,
                                       Isa at_most) {
  std::unique_ptr<Program> program(new Program);
  if (reinterpret_cast<std::uintptr_t>(file.data()) % alignof(double) != 0) owner = aligned_copy(file);
  program->file_ = file;
  program->owner_ = std::move(owner);
  program->isa_ = at_most;
  Loader(*program, at_most).load();
  return program;
}

}  // namespace sardonyx
