#include "runtime/mapping.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace sardonyx {
namespace {

[[noreturn]] void raise_errno() { throw std::system_error(errno, std::generic_category()); }

}  // namespace

#if !defined(_WIN32)

namespace {

struct Descriptor {
  int fd;
  explicit Descriptor(const char* path) : fd(::open(path, O_RDONLY | O_CLOEXEC)) {
    if (fd < 0) raise_errno();
  }
  ~Descriptor() { ::close(fd); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

// What a file holds now: fewer bytes than it had if it shrinks meanwhile, which the loader notices.
Mapping read_file(int fd, std::size_t size) {
  const std::shared_ptr<void> memory(std::aligned_alloc(kAlignment, (size / kAlignment + 1) * kAlignment), std::free);
  if (memory == nullptr) throw std::system_error(ENOMEM, std::generic_category());
  auto* bytes = static_cast<std::byte*>(memory.get());
  std::size_t read = 0;
  while (read < size) {
    const ssize_t count = ::read(fd, bytes + read, size - read);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) raise_errno();
    if (count == 0) break;
    read += static_cast<std::size_t>(count);
  }
  return {{bytes, read}, memory};
}

}  // namespace

Mapping map_file(const char* path) {
  const Descriptor file(path);
  struct stat info;
  if (::fstat(file.fd, &info) != 0) raise_errno();
  if (S_ISDIR(info.st_mode)) throw std::system_error(EISDIR, std::generic_category());
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size <= kMostRead) return read_file(file.fd, size);
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (memory == MAP_FAILED) raise_errno();
  return {{static_cast<const std::byte*>(memory), size}, {memory, [size](void* begin) { ::munmap(begin, size); }}};
}

#else

Mapping map_file(const char* path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path, "rb"), std::fclose);
  if (file == nullptr) raise_errno();
  if (std::fseek(file.get(), 0, SEEK_END) != 0) raise_errno();
  const auto size = static_cast<std::size_t>(std::ftell(file.get()));
  std::rewind(file.get());
  std::shared_ptr<std::byte[]> bytes(new std::byte[size]);
  if (std::fread(bytes.get(), 1, size, file.get()) != size) raise_errno();
  return {{bytes.get(), size}, bytes};
}

#endif

}  // namespace sardonyx
