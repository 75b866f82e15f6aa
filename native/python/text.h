// Strings between NumPy and the core: arrays of str, 'U' and StringDType become Text; Text becomes str.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "sardonyx/tensor.h"

namespace sardonyx::python {

// What stands for a missing value among texts: values.MISSING_NAN and MISSING_NONE.
inline constexpr Text kMissingNaN{"\xEF\xB7\x90NaN", 6}, kMissingNone{"\xEF\xB7\x90None", 7};

// Texts of str objects: of the UTF-8 that they hold or, for long ones that hold none, of UTF-8 made here. Python would
// make it, too, but keep it as long as the str lives, and take longer over it.
class StrTexts {
 public:
  StrTexts() = default;
  ~StrTexts();
  StrTexts(StrTexts&& other) noexcept = default;
  StrTexts(const StrTexts&) = delete;
  StrTexts& operator=(const StrTexts&) = delete;

  // False, with a Python error, if there is no memory. A reference is kept, as other threads may let the object go
  // while this one computes without the GIL.
  bool add(PyObject* object, Text* to);
  void clear();

 private:
  static constexpr Py_ssize_t kLong = 64;  // shorter ones are names and categories, the same ones again and again

  bool add_surrogates(PyObject* object, Text* to);
  Text encoded(PyObject* object);
  char* room(std::int64_t bytes);

  std::vector<PyObject*> kept_;  // str objects, or their encoded bytes
  std::vector<std::unique_ptr<char[]>> pages_;
  char *free_ = nullptr, *end_ = nullptr;  // of the last page
};

// The strings of one input array as Text, and what keeps their bytes alive.
class TextInput {
 public:
  TextInput() = default;
  TextInput(TextInput&& other) noexcept = default;
  TextInput(const TextInput&) = delete;
  TextInput& operator=(const TextInput&) = delete;

  // `array` is a C-contiguous ndarray. False: it does not hold strings only (or a Python error is set).
  bool read(PyObject* array);
  const Text* data() const { return texts_.data(); }

 private:
  bool read_objects(PyObject* array);
  bool read_unicode(PyObject* array);
  bool read_strings(PyObject* array);

  std::vector<Text> texts_;
  StrTexts strs_;
  std::unique_ptr<char[]> bytes_;
};

// One str object for each string constant: labels are gathered from a few of them, so a batch makes no new objects.
class TextCache {
 public:
  // Only strings inside `constants` are kept; others may be gone after the call.
  explicit TextCache(std::span<const std::byte> constants) : constants_(constants) {}
  ~TextCache();
  TextCache(const TextCache&) = delete;
  TextCache& operator=(const TextCache&) = delete;

  PyObject* get(const Text& text);  // a new reference, or nullptr with an error set

 private:
  struct Entry {
    Text text;
    PyObject* object;
  };

  Entry& find(const Text& text);
  void grow();

  std::span<const std::byte> constants_;
  std::vector<Entry> table_;  // open addressing, a power of two, at most half full
  std::size_t used_ = 0;
};

}  // namespace sardonyx::python
