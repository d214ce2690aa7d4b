/** Where images, captions and teachers come from: folders of files, and the pairs that are found in them. */
package dev.distillery.dataingest.source;
