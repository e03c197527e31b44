#include "storage/registry_store.hpp"

#include <vector>

#include "base/log.hpp"
#include "storage/db.hpp"
#include "storage/migrate.hpp"
#include "storage/registry_tx.hpp"
#include "storage/registry_writer.hpp"
#include "storage/snapshot.hpp"

namespace iotsky::storage {
namespace {

/// Read connections that are kept when nobody needs them; one costs about 100 KB.
constexpr std::size_t kIdleReadersMax = 4;

}  // namespace

const DbWords kRegistryWords{"The registry", "E5311",
                             "Stop iotsky and put back a backup: iotsky backup restore FILE (iotsky "
                             "backup list shows those in the data folder)."};

struct RegistryStore::Impl {
    std::filesystem::path path;
    Mutex mutex;
    std::vector<std::unique_ptr<Db>> idle IOTSKY_GUARDED_BY(mutex);
    // Last: its thread ends before the readers are closed, and its checkpoint empties the WAL.
    std::unique_ptr<RegistryWriter> writer;

    [[nodiscard]] Result<std::unique_ptr<Db>> take() {
        {
            const LockGuard lock(mutex);
            if (!idle.empty()) {
                std::unique_ptr<Db> db = std::move(idle.back());
                idle.pop_back();
                return db;
            }
        }
        return Db::open(path, Db::Mode::read_only, kRegistryWords);
    }

    void give_back(std::unique_ptr<Db> db) {
        const LockGuard lock(mutex);
        if (idle.size() < kIdleReadersMax) {
            idle.push_back(std::move(db));
        }
    }
};

RegistryStore::RegistryStore(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

RegistryStore::~RegistryStore() {
    {
        const LockGuard lock(impl_->mutex);
        impl_->idle.clear();
    }
    impl_->writer.reset();
}

Result<std::unique_ptr<RegistryStore>> RegistryStore::open(const std::filesystem::path& path) {
    IOTSKY_TRY(db, Db::open(path, Db::Mode::read_write, kRegistryWords));
    IOTSKY_CHECK(migrate(*db, path, registry_schema()));
    auto impl = std::make_unique<Impl>();
    impl->path = path;
    impl->writer = std::make_unique<RegistryWriter>(std::move(db));
    return std::unique_ptr<RegistryStore>(new RegistryStore(std::move(impl)));
}

Result<void> RegistryStore::transact_void(const TxBody& body, provisioning::Ending ending) {
    return impl_->writer->run(body, ending);
}

Result<void> RegistryStore::read_void(const ReadBody& body) {
    IOTSKY_TRY(db, impl_->take());
    db->run("BEGIN");
    RegistryTx reader(*db);
    Result<void> outcome = body(reader);
    db->run("COMMIT");
    if (db->failed()) {
        // The connection may be in any state: it is closed, the next call opens another.
        Error error = db->error();
        log::error(error.number, "registry read failed", {{"detail", error.detail}});
        return error;
    }
    impl_->give_back(std::move(db));
    return outcome;
}

std::uint64_t RegistryStore::commits() const noexcept {
    return impl_->writer->commits();
}

}  // namespace iotsky::storage
