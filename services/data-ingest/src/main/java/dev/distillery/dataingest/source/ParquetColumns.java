package dev.distillery.dataingest.source;

import java.util.Map;

/**
 * The three expressions that a pair is read by.
 *
 * @param bytes SQL of the image's bytes
 * @param path SQL of the image's own file name, or NULL
 * @param caption SQL of the text
 */
record ParquetColumns(String bytes, String path, String caption) {
    private static final String NEEDED = "a struct of bytes and path, or plain bytes";

    /**
     * @param types SQL type by column name
     * @throws SourceException if a column is missing or of another kind
     */
    static ParquetColumns find(Map<String, String> types, String image, String caption, String uri)
            throws SourceException {
        String imageType = type(types, "dataset.image", image, uri);
        String quoted = quote(image);
        String captionType = type(types, "dataset.caption", caption, uri);
        if (!captionType.equals("VARCHAR")) {
            throw new SourceException(
                    "dataset.caption", "column '" + caption + "' of " + uri + " is " + captionType + ", not text");
        }
        if (imageType.equals("BLOB")) {
            return new ParquetColumns(quoted, "NULL", quote(caption));
        }
        if (imageType.startsWith("STRUCT(") && imageType.contains("bytes BLOB")) {
            boolean named = imageType.contains("path VARCHAR");
            return new ParquetColumns(quoted + ".bytes", named ? quoted + ".path" : "NULL", quote(caption));
        }
        throw new SourceException(
                "dataset.image", "column '" + image + "' of " + uri + " is " + imageType + ", not " + NEEDED);
    }

    private static String type(Map<String, String> types, String field, String column, String uri)
            throws SourceException {
        String type = types.get(column);
        if (type == null) {
            throw new SourceException(
                    field, uri + " has no column '" + column + "'; it has " + String.join(", ", types.keySet()));
        }
        return type;
    }

    private static String quote(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }
}
