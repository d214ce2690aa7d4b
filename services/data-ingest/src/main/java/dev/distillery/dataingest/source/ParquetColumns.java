package dev.distillery.dataingest.source;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The expressions that a pair is read by.
 *
 * @param bytes SQL of the image's bytes, or NULL if its address is all that there is
 * @param path SQL of the image's own file name, or of its web address, or NULL
 * @param captions names of the columns of text
 */
record ParquetColumns(String bytes, String path, List<String> captions) {
    private static final String NEEDED = "a struct of bytes and path, plain bytes, or text with web addresses";
    private static final String NONE = "NULL";

    /**
     * @param types SQL type by column name
     * @throws SourceException if a column is missing or of another kind
     */
    static ParquetColumns find(Map<String, String> types, String image, Captions captions, String uri)
            throws SourceException {
        String imageType = type(types, "dataset.image", image, uri);
        String quoted = quote(image);
        for (String caption : captions.columns()) {
            String captionType = type(types, "dataset.caption", caption, uri);
            if (!captionType.equals("VARCHAR")) {
                throw new SourceException(
                        "dataset.caption", "column '" + caption + "' of " + uri + " is " + captionType + ", not text");
            }
        }
        if (imageType.equals("BLOB")) {
            return new ParquetColumns(quoted, NONE, captions.columns());
        }
        if (imageType.equals("VARCHAR")) {
            return new ParquetColumns(NONE, quoted, captions.columns());
        }
        if (imageType.startsWith("STRUCT(") && imageType.contains("bytes BLOB")) {
            boolean named = imageType.contains("path VARCHAR");
            return new ParquetColumns(quoted + ".bytes", named ? quoted + ".path" : NONE, captions.columns());
        }
        throw new SourceException(
                "dataset.image", "column '" + image + "' of " + uri + " is " + imageType + ", not " + NEEDED);
    }

    /** Whether the path is a web address. */
    boolean links() {
        return bytes.equals(NONE);
    }

    /** The columns of a result: the image's bytes, its path, then the captions. */
    String sql() {
        return bytes + ", " + path
                + captions.stream().map(column -> ", " + quote(column)).collect(Collectors.joining());
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
