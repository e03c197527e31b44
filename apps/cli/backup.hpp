#pragma once

namespace CLI {
class App;
}

namespace iotsky::apps::cli {

class Session;

/// Adds `backup create|list|verify|restore`.
void add_backup(CLI::App& app, Session& session);

}  // namespace iotsky::apps::cli
