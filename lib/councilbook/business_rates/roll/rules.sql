-- How each kind of cell becomes a value; what is no such value becomes NULL. Patterns in <> are those of rules.py.

CREATE MACRO to_text(x) AS x;
CREATE MACRO strip_reference(x) AS regexp_replace(x, '^="?|^[''`’‘]+|"$', '', 'g');
CREATE MACRO list_decimals(x) AS regexp_extract(x, '\.(\d+)', 1);
CREATE MACRO to_reference(x) AS CASE
    WHEN NOT regexp_matches(x, '^[''`’‘=]|\.0+$|[eE]\+\d+$') THEN x
    WHEN regexp_full_match(strip_reference(x), '\d+\.0+') THEN split_part(strip_reference(x), '.', 1)
    WHEN regexp_full_match(strip_reference(x), '\d\.\d+[eE]\+\d{1,2}')
        AND length(list_decimals(x)) >= try_cast(regexp_extract(x, '\+(\d+)', 1) AS INTEGER)
        THEN left(strip_reference(x), 1) || left(list_decimals(x), try_cast(regexp_extract(x, '\+(\d+)', 1) AS INTEGER))
    ELSE nullif(strip_reference(x), '') END;
CREATE MACRO join_names(x, y) AS CASE
    WHEN x IS NULL OR y IS NULL THEN coalesce(x, y)
    WHEN regexp_matches(y, '<LEGAL_END>') OR regexp_matches(lower(x), '<GOES_ON>') THEN x || ' ' || y
    ELSE x || '; ' || y END;
CREATE MACRO is_total(x) AS CASE
    WHEN x ILIKE '%total%' OR x ILIKE 'sum%' THEN regexp_full_match(lower(x), '<TOTAL>') ELSE FALSE END;
CREATE MACRO to_number(x) AS
    CASE WHEN regexp_full_match(x, '[+-]?\d{1,15}(\.\d+)?([eE][+-]?\d{1,2})?') THEN try_cast(x AS DOUBLE) END;
CREATE MACRO strip_money(x) AS regexp_replace(x, '[£\x{FFFD}\s]|GBP', '', 'g');
CREATE MACRO to_money(x) AS CASE
    WHEN regexp_full_match(x, '-?\d{1,15}(\.\d+)?') THEN try_cast(x AS DOUBLE)
    WHEN regexp_full_match(strip_money(x), '-?(\d{1,3}(,\d{3})+|\d{1,15})(\.\d*)?')
        THEN try_cast(replace(strip_money(x), ',', '') AS DOUBLE)
    WHEN regexp_full_match(strip_money(x), '\((\d{1,3}(,\d{3})+|\d{1,15})(\.\d*)?\)')
        THEN -try_cast(regexp_replace(strip_money(x), '[(),]', '', 'g') AS DOUBLE)
    WHEN regexp_full_match(strip_money(x), '(\d{1,3}(,\d{3})+|\d{1,15})(\.\d*)?(-|CR)')
        THEN -try_cast(regexp_replace(strip_money(x), '[,CR-]', '', 'g') AS DOUBLE) END;
CREATE MACRO to_iso_word(x) AS CASE
    WHEN regexp_matches(x, '^([A-Za-z]+,? )?\d{1,2}(st|nd|rd|th)?[ -]?[A-Za-z]{3,9}[ ,-]*(\d{4}|\d{2})$')
        THEN CAST(try_strptime(regexp_replace(regexp_replace(lower(x), 'sept\b', 'sep'), '^(?:[a-z]+,? )?(\d+)'
        || '(?:st|nd|rd|th)?[ -]?([a-z]+)[ ,-]*(\d+)$', '\1 \2 \3'),
        ['%d %b %y', '%d %B %y', '%d %b %Y', '%d %B %Y']) AS DATE) END;
CREATE MACRO to_iso_day(x) AS CASE
    WHEN x LIKE '____-__-__' THEN try_cast(x AS DATE)
    WHEN regexp_matches(x, '^\d{4}-\d{2}-\d{2}<TIME>') THEN try_cast(left(x, 10) AS DATE)
    WHEN regexp_full_match(x, '(18|19|20)\d{6}') THEN CAST(try_strptime(x, '%Y%m%d') AS DATE)
    WHEN regexp_matches(x, '^\d{4}[/.]\d{2}[/.]\d{2}<TIME>')
        THEN try_cast(regexp_replace(left(x, 10), '[/.]', '-', 'g') AS DATE)
    WHEN regexp_matches(x, '^[A-Za-z]{3,9} +\d{1,2},? +\d{4}( |$)') THEN CAST(try_strptime(regexp_replace(
        regexp_extract(x, '^[A-Za-z]{3,9} +\d{1,2},? +\d{4}', 0), '[ ,]+', ' ', 'g'),
        ['%b %d %Y', '%B %d %Y']) AS DATE)
    WHEN regexp_matches(x, '^\d{1,2}[ -][A-Za-z]{3,9}[ -](\d{4}|\d{2})[T ]+[0-9:.]+')
        THEN to_iso_word(regexp_extract(x, '^\d{1,2}[ -][A-Za-z]{3,9}[ -]\d+', 0))
    ELSE to_iso_word(x) END;
CREATE MACRO take_day(x) AS regexp_replace(split_part(split_part(x, ' ', 1), 'T', 1), '[.-]', '/', 'g');
CREATE MACRO keep_plausible(x) AS CASE WHEN x >= DATE '1800-01-01' THEN x END;
CREATE MACRO to_day(x) AS keep_plausible(CASE
    WHEN x LIKE '____-%' THEN to_iso_day(x)
    WHEN regexp_matches(x, '<DAY>\d{4}<TIME>') THEN CAST(try_strptime(take_day(x), '%d/%m/%Y') AS DATE)
    WHEN regexp_matches(x, '<DAY>\d{2}<TIME>') THEN CAST(try_strptime(take_day(x), '%d/%m/%y') AS DATE)
    ELSE to_iso_day(x) END);
CREATE MACRO to_month_day(x) AS keep_plausible(CASE
    WHEN regexp_matches(x, '<DAY>\d{4}<TIME>') THEN CAST(try_strptime(take_day(x), '%m/%d/%Y') AS DATE)
    WHEN regexp_matches(x, '<DAY>\d{2}<TIME>') THEN CAST(try_strptime(take_day(x), '%m/%d/%y') AS DATE)
    ELSE to_iso_day(x) END);
CREATE MACRO to_serial_day(x) AS CASE
    WHEN regexp_full_match(x, '[1-6]\d{4}(\.\d+)?') THEN DATE '1899-12-30' + CAST(floor(CAST(x AS DOUBLE)) AS INTEGER)
    END;
CREATE MACRO to_postcode(x) AS CASE
    WHEN regexp_full_match(upper(replace(replace(x, ' ', ''), chr(160), '')),
        '[A-Z]{1,2}\d[A-Z\d]?\d[ABD-HJLNP-UW-Z]{2}|GIR0AA')
    THEN regexp_replace(upper(replace(replace(x, ' ', ''), chr(160), '')), '(...)$', ' \1') END;
CREATE MACRO to_flag(x) AS CASE
    WHEN regexp_full_match(lower(x), '(ydy|oes|ie)( ?/ ?yes)?|yes ?/ ?(ydy|oes|ie)') THEN TRUE  -- in Welsh
    WHEN regexp_full_match(lower(x), '(na[cg]? ?(ydy|oes)?)( ?/ ?no)?|no ?/ ?na[cg]? ?(ydy|oes)?') THEN FALSE
    WHEN lower(x) IN ('y', 'yes', 'true', 't', '1', '-1', 'x', '✓', '✔', 'occupied', 'occ', 'o') THEN TRUE
    WHEN lower(x) IN ('n', 'no', 'false', 'f', '0', 'empty', 'void', 'unoccupied', 'vacant', 'v', 'e') THEN FALSE
    WHEN regexp_full_match(lower(x), '((part(ly|ially)?[ -]+|fully )?occ(upied)?|part(ly|ially)?[ -]+(empty|vacant|'
        || 'void|unoccupied))( property| ?[-(].*)?') THEN TRUE
    WHEN regexp_full_match(lower(x), '(fully )?(empty|void|vacant|un-?occ(upied)?|not occupied)( property| ?[-(].*)?')
        THEN FALSE
    END;
CREATE MACRO turn_flag(x) AS CASE
    WHEN regexp_matches(lower(x), '^[ove]$|occ|empty|void|vacant') THEN to_flag(x) ELSE NOT to_flag(x) END;
CREATE MACRO to_relief(x, label) AS CASE
    WHEN x IS NULL OR lower(x) IN ('n', 'no', 'none', 'false', 'f') THEN NULL
    WHEN lower(x) IN ('y', 'yes', 'true', 't', 'x', '✓', '✔') THEN label
    WHEN NOT regexp_matches(x, '^[0-9(£\x{FFFD}-]') OR to_money(rtrim(x, '%')) IS NULL THEN x
    WHEN to_money(rtrim(x, '%')) = 0 THEN NULL
    ELSE label || ': ' || x END;
CREATE MACRO add_amount(x, amount) AS CASE WHEN coalesce(to_money(amount), 0) = 0
    OR regexp_matches(x, '[0-9;|+&/,\n]') THEN x ELSE x || ': £' || printf('%.2f', abs(to_money(amount))) END;
CREATE MACRO strip_supporting(x) AS regexp_replace(lower(x), 'supp\w*\.?( for)?[ -]+(small[ -]+bus\w*'
    || '|sb\w*)( rates?)?( relief)?|\bssb\w*|small business\w*( rates?)? suppl\w*|\bsbr\w* suppl?\w*', '', 'g');
CREATE MACRO names_small(x) AS regexp_matches(lower(x), '\bsmall business|\bsbr|\bsbb|\bsrbe')
    AND regexp_matches(strip_supporting(x), '\bsmall business|\bsbr|\bsbb|\bsrbe');
CREATE MACRO names_mandatory(x) AS
    regexp_matches(lower(x), '\bmand|charit|\bcasc|\bmcr\b') AND NOT regexp_matches(lower(x), 'empty|emprty');
CREATE MACRO names_discretionary(x) AS
    regexp_matches(lower(x), 'discretion|\btop.?up|hardship|\b(drr|dcr)\b|\bdisc\d|(mand|charit|casc)\D*\d+\W*disc\W*\d');
CREATE MACRO mark_lines(x) AS ' ' || trim(regexp_replace(regexp_replace(regexp_replace(upper(x),
    '[''`’.]', '', 'g'), '[,\n\r]+', ' , ', 'g'), '[^A-Z0-9,]+', ' ', 'g')) || ' , ';
CREATE MACRO has_place(lines, place, others) AS len(list_filter(regexp_extract_all(
    list_reduce(list_prepend(lines, list_filter(others, lambda o: o != place)), lambda a, o: replace(a, o, ' , ')),
    left(place, length(place) - 2) || '([A-Z0-9,]+)', 1), lambda w: w = ','
    OR (lines NOT LIKE '%,%,%' AND NOT regexp_full_match(w, '<STREETS>')))) > 0;
CREATE MACRO list_lacking(x, places) AS list_filter(places, lambda one, n: NOT has_place(
    mark_lines(regexp_replace(x, '<POSTCODE>$', '')), mark_lines(one), list_transform(places, lambda o: mark_lines(o)))
    AND list_position(list_transform(places, lambda o: mark_lines(o)), mark_lines(one)) = n);
CREATE MACRO add_places(x, places) AS CASE WHEN x IS NULL OR len(list_lacking(x, places)) = 0 THEN x
    ELSE concat_ws(', ', nullif(regexp_extract(x, '(?s)^(.*?)[,\s]*(<POSTCODE>)?$', 1), ''),
        list_aggregate(list_lacking(x, places), 'string_agg', ', '),
        nullif(regexp_extract(x, '(?s)^(.*?)[,\s]*(<POSTCODE>)?$', 2), '')) END;
CREATE MACRO list_distinct_in_order(x) AS
    list_filter(x, lambda one, place: one IS NOT NULL AND list_position(x, one) = place);
CREATE MACRO looks_like_day(x) AS
    regexp_full_match(x, '\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{2,4}');
