// Memory of the texts that steps make: pages of a frame, handed over to the call whose outputs point into them.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "sardonyx/kernel.h"

namespace sardonyx {

class TextPages {
 public:
  char* take(std::int64_t bytes);
  bool empty() const { return pages_.empty(); }
  void clear();

 private:
  friend class KeptTexts;
  std::vector<std::unique_ptr<char[]>> pages_;
  char* free_ = nullptr;
  std::int64_t left_ = 0;
  std::int64_t total_ = 0;
};

// What the frames of one call have made.
class KeptTexts {
 public:
  void keep(TextPages& pages);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<char[]>> pages_;
};

}  // namespace sardonyx
