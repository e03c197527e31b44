#include "tests/unit/storage/failing_vfs.hpp"

#include <sqlite3.h>

#include <atomic>

namespace iotsky::storage::test {
namespace {

constexpr int kNever = -1;
constexpr const char* kName = "iotsky-failing";

sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs failing_vfs;
std::atomic<int> writes_left{kNever};
std::atomic<int> opens_left{kNever};
std::atomic<int> reads_left{kNever};
std::atomic<bool> struck_once{false};
std::atomic<int> syncs_so_far{0};
std::atomic<int> write_error{SQLITE_IOERR_WRITE};

struct File {
    sqlite3_file base;
    sqlite3_file* real;
};

sqlite3_file* real(sqlite3_file* file) {
    return reinterpret_cast<File*>(file)->real;
}

/// Whether this is one that fails.
bool strikes(std::atomic<int>& counter) {
    int left = counter.load();
    while (left > 0 && !counter.compare_exchange_weak(left, left - 1)) {
    }
    struck_once = struck_once || left == 0;
    return left == 0;
}

/// SQLITE_OK, or the error to return instead of writing.
int spend_write() {
    return strikes(writes_left) ? write_error.load() : SQLITE_OK;
}

int do_close(sqlite3_file* f) {
    return real(f)->pMethods->xClose(real(f));
}
int do_read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
    return strikes(reads_left) ? SQLITE_IOERR_READ : real(f)->pMethods->xRead(real(f), to, n, at);
}
int do_write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
    const int code = spend_write();
    return code != SQLITE_OK ? code : real(f)->pMethods->xWrite(real(f), from, n, at);
}
int do_truncate(sqlite3_file* f, sqlite3_int64 size) {
    const int code = spend_write();
    return code != SQLITE_OK ? code : real(f)->pMethods->xTruncate(real(f), size);
}
int do_sync(sqlite3_file* f, int flags) {
    ++syncs_so_far;
    const int code = spend_write();
    return code != SQLITE_OK ? SQLITE_IOERR_FSYNC : real(f)->pMethods->xSync(real(f), flags);
}
int do_size(sqlite3_file* f, sqlite3_int64* size) {
    return real(f)->pMethods->xFileSize(real(f), size);
}
int do_lock(sqlite3_file* f, int level) {
    return real(f)->pMethods->xLock(real(f), level);
}
int do_unlock(sqlite3_file* f, int level) {
    return real(f)->pMethods->xUnlock(real(f), level);
}
int do_check_lock(sqlite3_file* f, int* out) {
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}
int do_control(sqlite3_file* f, int op, void* arg) {
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}
int do_sector(sqlite3_file* f) {
    return real(f)->pMethods->xSectorSize(real(f));
}
int do_device(sqlite3_file* f) {
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
int do_shm_map(sqlite3_file* f, int region, int size, int extend, void volatile** out) {
    return real(f)->pMethods->xShmMap(real(f), region, size, extend, out);
}
int do_shm_lock(sqlite3_file* f, int offset, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}
void do_shm_barrier(sqlite3_file* f) {
    real(f)->pMethods->xShmBarrier(real(f));
}
int do_shm_unmap(sqlite3_file* f, int remove) {
    return real(f)->pMethods->xShmUnmap(real(f), remove);
}

const sqlite3_io_methods kMethods{
    2,           do_close,       do_read,       do_write,   do_truncate, do_sync,   do_size,
    do_lock,     do_unlock,      do_check_lock, do_control, do_sector,   do_device, do_shm_map,
    do_shm_lock, do_shm_barrier, do_shm_unmap,  nullptr,    nullptr};

int do_open(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
    auto* file = reinterpret_cast<File*>(f);
    file->base.pMethods = nullptr;
    if (strikes(opens_left)) {
        return SQLITE_CANTOPEN;
    }
    file->real = reinterpret_cast<sqlite3_file*>(file + 1);
    const int code = real_vfs->xOpen(real_vfs, name, file->real, flags, out);
    if (code == SQLITE_OK) {
        file->base.pMethods = &kMethods;
    }
    return code;
}

}  // namespace

FailingVfs::FailingVfs() {
    real_vfs = sqlite3_vfs_find(nullptr);
    failing_vfs = *real_vfs;
    failing_vfs.zName = kName;
    failing_vfs.szOsFile = static_cast<int>(sizeof(File)) + real_vfs->szOsFile;
    failing_vfs.xOpen = do_open;
    sqlite3_vfs_register(&failing_vfs, 1);
    heal();
}

FailingVfs::~FailingVfs() {
    heal();
    sqlite3_vfs_unregister(&failing_vfs);
    sqlite3_vfs_register(real_vfs, 1);
}

void FailingVfs::fail_after(int n, Kind kind) {
    struck_once = false;
    write_error = kind == Kind::disk_full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    writes_left = n;
}

void FailingVfs::fail_opens_after(int n) {
    struck_once = false;
    opens_left = n;
}

void FailingVfs::fail_reads_after(int n) {
    struck_once = false;
    reads_left = n;
}

int FailingVfs::syncs() const {
    return syncs_so_far;
}

void FailingVfs::heal() {
    writes_left = kNever;
    reads_left = kNever;
    opens_left = kNever;
}

bool FailingVfs::struck() const {
    return struck_once;
}

}  // namespace iotsky::storage::test
