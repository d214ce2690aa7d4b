package dev.distillery.dataingest.source;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

/** Reads one parquet file, in this process, from this machine's disk only. */
final class DuckDb implements AutoCloseable {
    private final String name;
    private final Connection connection;

    /** @param name of the file, for messages */
    DuckDb(String name) throws IOException {
        this.name = name;
        var settings = new Properties();
        settings.put("jdbc_stream_results", "true"); // rows come as they are read; a file is larger than memory
        settings.put("threads", "1"); // keeps the rows' order and leaves the cores to the encoders
        settings.put("memory_limit", "1GB");
        settings.put("autoinstall_known_extensions", "false"); // parquet is built in; nothing is to be downloaded
        settings.put("autoload_known_extensions", "false");
        try {
            // Registers the driver, which DriverManager would look for in the class loader of another thread.
            Class.forName("org.duckdb.DuckDBDriver");
            this.connection = DriverManager.getConnection("jdbc:duckdb:", settings);
        } catch (ClassNotFoundException | SQLException e) {
            throw new IOException("DuckDB does not start: " + e.getMessage(), e);
        }
    }

    /** SQL type by column name, in the file's order. */
    Map<String, String> columns(Path file) throws IOException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("DESCRIBE SELECT * FROM " + table(file))) {
            var types = new LinkedHashMap<String, String>();
            while (rows.next()) {
                types.put(rows.getString(1), rows.getString(2));
            }
            return types;
        } catch (SQLException e) {
            throw unreadable(e);
        }
    }

    long rows(Path file) throws IOException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT count(*) FROM " + table(file))) {
            rows.next();
            return rows.getLong(1);
        } catch (SQLException e) {
            throw unreadable(e);
        }
    }

    /** Bytes, path and captions of each row from {@code first} on, valid until this is closed. */
    ResultSet select(ParquetColumns columns, Path file, long first) throws SQLException {
        return connection
                .createStatement()
                .executeQuery("SELECT " + columns.sql() + " FROM " + table(file) + " OFFSET " + first);
    }

    private static String table(Path file) {
        return "read_parquet('" + file.toString().replace("'", "''") + "')";
    }

    private SourceException unreadable(SQLException e) {
        return new SourceException("dataset.source", name + " cannot be read as parquet: " + e.getMessage());
    }

    @Override
    public void close() throws IOException {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new IOException(e);
        }
    }
}
