//! Which language tags mean a language (BCP 47, the IANA registry of subtags).
//!
//! Two-letter languages and regions are looked up; of longer subtags only the form is checked, so an
//! unregistered three-letter language passes.

/// Two-letter languages of ISO 639-1 that the registry holds, deprecated ones too.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik in io is it iu iw ja ji jv jw ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mo mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Two-letter regions of ISO 3166-1 that the registry holds, with the exceptional and deprecated ones.
const REGIONS: &str = "ac ad ae af ag ai al am an ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bu bv bw by bz ca cc cd cf cg ch ci ck cl cm cn co cp cr cs cu cv cw cx cy cz dd de dg dj dk dm do dz ea ec ee eg eh er es et eu ez fi fj fk fm fo fr fx ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu ic id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nt nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz ta tc td tf tg th tj tk tl tm tn to tp tr tt tv tw tz ua ug um un us uy uz va vc ve vg vi vn vu wf ws yd ye yt yu za zm zr zw";

/// What a tag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// `i-default`.
    Default,
    /// It has a subtag for private use.
    Private,
    /// Its subtags are registered, as far as they are looked up.
    Registered,
    /// A subtag is not registered.
    Unknown,
}

fn holds(list: &str, part: &str) -> bool {
    list.split(' ').any(|one| one == part)
}

/// Looks a tag up whose form the schema has checked.
pub(super) fn look(tag: &str) -> Finding {
    let tag = tag.to_ascii_lowercase();
    if tag == "i-default" {
        return Finding::Default;
    }
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    if language == "x" {
        return Finding::Private;
    }
    if language.len() == 2 && !holds(LANGUAGES, language) {
        return Finding::Unknown;
    }
    let mut is_private = ("qaa"..="qtz").contains(&language) && language.len() == 3;
    for part in parts {
        match part.len() {
            1 if part == "x" => return Finding::Private,
            // What follows belongs to an extension.
            1 => break,
            2 => {
                let private = part == "aa"
                    || part == "zz"
                    || ("qm"..="qz").contains(&part)
                    || ("xa"..="xz").contains(&part);
                is_private |= private;
                if !private && !holds(REGIONS, part) {
                    return Finding::Unknown;
                }
            }
            4 if ("qaaa"..="qabx").contains(&part) => is_private = true,
            _ => {}
        }
    }
    if is_private {
        Finding::Private
    } else {
        Finding::Registered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_looked_up() {
        for (tag, finding) in [
            ("en", Finding::Registered),
            ("de-CH-1996", Finding::Registered),
            ("zh-Hant-TW", Finding::Registered),
            ("es-419", Finding::Registered),
            ("en-a-zq", Finding::Registered),
            ("EZ", Finding::Unknown),
            ("en-YZ", Finding::Unknown),
            ("qtx", Finding::Private),
            ("en-QN", Finding::Private),
            ("en-Qaab", Finding::Private),
            ("en-x-lab", Finding::Private),
            ("x-lab", Finding::Private),
            ("i-default", Finding::Default),
        ] {
            assert_eq!(look(tag), finding, "{tag}");
        }
    }
}
