-- Normalized text of a title: what ranks, prefixes and misspelt words are compared with.
ALTER TABLE books
    ADD COLUMN title_words text NOT NULL DEFAULT '',
    ADD COLUMN main_title_words text NOT NULL DEFAULT '',
    ADD COLUMN doc_words text NOT NULL DEFAULT '';

-- books.search, weighted: title and subtitle, people, subjects, publisher; and the normalized text.
-- The main title ends at the first bracket or colon.
CREATE OR REPLACE FUNCTION index_book() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    people text := words_of(concat_ws(' ', NEW.author, array_to_string(NEW.contributors, ' ')));
BEGIN
    NEW.title_words := words_of(concat_ws(' ', NEW.title, NEW.subtitle));
    NEW.main_title_words := coalesce(
        nullif(words_of(regexp_replace(NEW.title, '[(:].*', '')), ''), words_of(NEW.title));
    NEW.doc_words := concat_ws(' ', NEW.title_words, people);
    NEW.search :=
        setweight(to_tsvector('simple', NEW.title_words), 'A') ||
        setweight(to_tsvector('simple', people), 'B') ||
        setweight(to_tsvector('simple', words_of(array_to_string(NEW.subjects, ' '))), 'C') ||
        setweight(to_tsvector('simple', words_of(NEW.publisher)), 'D');
    RETURN NEW;
END $$;

UPDATE books SET title = title;

CREATE INDEX ix_books_doc_words ON books USING gin (doc_words gin_trgm_ops);
-- Serves the count of all titles beside their order.
DROP INDEX ix_books_created_at;
CREATE INDEX ix_books_created_at ON books (created_at, id) WHERE withdrawn_at IS NULL;
CREATE INDEX ix_books_main_title_words ON books (main_title_words text_pattern_ops, id);

-- The words of all titles, for corrections; refreshed in the background.
CREATE TABLE search_words (
    word  text    NOT NULL,
    books integer NOT NULL,
    CONSTRAINT pk_search_words PRIMARY KEY (word)
);
CREATE INDEX ix_search_words_word ON search_words USING gin (word gin_trgm_ops);

-- Authors and subjects, for suggestions; refreshed in the background.
CREATE TABLE search_phrases (
    kind  text    NOT NULL,
    words text    NOT NULL,
    text  text    NOT NULL,
    books integer NOT NULL,
    CONSTRAINT pk_search_phrases PRIMARY KEY (kind, words)
);
CREATE INDEX ix_search_phrases_words ON search_phrases (words text_pattern_ops);
CREATE INDEX ix_search_phrases_similar ON search_phrases USING gin (words gin_trgm_ops);

-- One row: how far the vocabulary follows the catalogue.
CREATE TABLE search_state (
    id           integer     NOT NULL,
    refreshed_at timestamptz NOT NULL,
    CONSTRAINT pk_search_state PRIMARY KEY (id),
    CONSTRAINT ck_search_state_one_row CHECK (id = 1)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON search_words, search_phrases, search_state TO luna_app;

-- Words of the vocabulary that a misspelt word may stand for, the most similar first. The
-- threshold is low because one typing error changes most trigrams of a short word.
CREATE FUNCTION similar_words(given text) RETURNS SETOF search_words
    LANGUAGE sql STABLE SET pg_trgm.similarity_threshold = 0.22 AS $$
    SELECT * FROM search_words
    WHERE word % given AND length(word) BETWEEN length(given) - 2 AND length(given) + 2
    ORDER BY similarity(word, given) DESC, books DESC LIMIT 24
$$;

-- Titles that resemble a phrase as a whole, the most similar first.
CREATE FUNCTION similar_books(phrase text, threshold real, most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM set_config('pg_trgm.word_similarity_threshold', threshold::text, true);
    RETURN QUERY SELECT id FROM books
        WHERE doc_words %> phrase AND withdrawn_at IS NULL
        ORDER BY word_similarity(phrase, doc_words) DESC, id LIMIT most;
END $$;
