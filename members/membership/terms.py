"""The fixed vocabularies of this package in the languages of the hub: countries, world regions, parts of an
application.

Names of countries are those of Unicode CLDR, read through Babel; all other labels are our own.
"""

from __future__ import annotations

from collections.abc import Iterator

from babel import Locale

from i18n.language.locales import DEFAULT, LOCALES
from members.membership.applications import Item
from members.register.models import Region
from wego.core.forms import countries

Labels = dict[str, str]


def terms() -> Iterator[tuple[str, str, int, Labels]]:
    """Every term as (scheme, code, position, labels by locale)."""
    yield from _countries()
    for position, region in enumerate(Region):
        yield "region", region.value, position, _labels(REGIONS[region])
    for position, item in enumerate(Item):
        yield "application-item", item.value, position, _labels(ITEMS[item])


def _countries() -> Iterator[tuple[str, str, int, Labels]]:
    names = {tag: Locale.parse(tag, sep="-").territories for tag in LOCALES}
    english = names[DEFAULT]
    for position, code in enumerate(sorted(countries(), key=lambda code: str(english[code]))):
        yield (
            "country",
            code,
            position,
            {tag: str(known.get(code, english[code])) for tag, known in names.items()},
        )


def _labels(row: str) -> Labels:
    """The cells of a row, in the order of LOCALES."""
    return dict(zip(LOCALES, (cell.strip() for cell in row.split("|")), strict=True))


# en | ko | zh-Hans | ar | fr | es | ru | pt | id | tr | vi | mn | ja | de | hi | sw
REGIONS: dict[Region, str] = {
    Region.EAST_ASIA: (
        "East Asia|동아시아|东亚|شرق آسيا|Asie de l’Est|Asia oriental|Восточная Азия|Ásia Oriental"
        "|Asia Timur|Doğu Asya|Đông Á|Зүүн Ази|東アジア|Ostasien|पूर्वी एशिया|Asia ya Mashariki"
    ),
    Region.SOUTH_EAST_ASIA: (
        "South-East Asia|동남아시아|东南亚|جنوب شرق آسيا|Asie du Sud-Est|Sudeste Asiático"
        "|Юго-Восточная Азия|Sudeste Asiático|Asia Tenggara|Güneydoğu Asya|Đông Nam Á|Зүүн өмнөд Ази"
        "|東南アジア|Südostasien|दक्षिण-पूर्व एशिया|Asia ya Kusini-Mashariki"
    ),
    Region.SOUTH_ASIA: (
        "South Asia|남아시아|南亚|جنوب آسيا|Asie du Sud|Asia meridional|Южная Азия|Ásia Meridional"
        "|Asia Selatan|Güney Asya|Nam Á|Өмнөд Ази|南アジア|Südasien|दक्षिण एशिया|Asia ya Kusini"
    ),
    Region.CENTRAL_ASIA: (
        "Central Asia|중앙아시아|中亚|آسيا الوسطى|Asie centrale|Asia central|Центральная Азия"
        "|Ásia Central|Asia Tengah|Orta Asya|Trung Á|Төв Ази|中央アジア|Zentralasien|मध्य एशिया"
        "|Asia ya Kati"
    ),
    Region.MIDDLE_EAST: (
        "Middle East|중동|中东|الشرق الأوسط|Moyen-Orient|Oriente Medio|Ближний Восток|Oriente Médio"
        "|Timur Tengah|Orta Doğu|Trung Đông|Ойрх Дорнод|中東|Naher Osten|मध्य पूर्व|Mashariki ya Kati"
    ),
    Region.EUROPE: (
        "Europe|유럽|欧洲|أوروبا|Europe|Europa|Европа|Europa|Eropa|Avrupa|Châu Âu|Европ|ヨーロッパ|Europa|यूरोप|Ulaya"
    ),
    Region.EURASIA: (
        "Eurasia|유라시아|欧亚|أوراسيا|Eurasie|Eurasia|Евразия|Eurásia|Eurasia|Avrasya|Á-Âu|Еврази"
        "|ユーラシア|Eurasien|यूरेशिया|Eurasia"
    ),
    Region.AFRICA: (
        "Africa|아프리카|非洲|أفريقيا|Afrique|África|Африка|África|Afrika|Afrika|Châu Phi|Африк"
        "|アフリカ|Afrika|अफ़्रीका|Afrika"
    ),
    Region.NORTH_AMERICA: (
        "North America|북아메리카|北美洲|أمريكا الشمالية|Amérique du Nord|América del Norte"
        "|Северная Америка|América do Norte|Amerika Utara|Kuzey Amerika|Bắc Mỹ|Хойд Америк|北アメリカ"
        "|Nordamerika|उत्तरी अमेरिका|Amerika ya Kaskazini"
    ),
    Region.LATIN_AMERICA: (
        "Latin America|라틴아메리카|拉丁美洲|أمريكا اللاتينية|Amérique latine|América Latina"
        "|Латинская Америка|América Latina|Amerika Latin|Latin Amerika|Mỹ Latinh|Латин Америк"
        "|ラテンアメリカ|Lateinamerika|लैटिन अमेरिका|Amerika ya Kilatini"
    ),
    Region.OCEANIA: (
        "Oceania|오세아니아|大洋洲|أوقيانوسيا|Océanie|Oceanía|Океания|Oceania|Oseania|Okyanusya"
        "|Châu Đại Dương|Далайн орнууд|オセアニア|Ozeanien|ओशिआनिया|Oceania"
    ),
}

ITEMS: dict[Item, str] = {
    Item.SIGNED_FORM: (
        "The signed application form|서명된 신청서|已签署的申请表|استمارة الطلب الموقعة"
        "|Le formulaire de demande signé|El formulario de solicitud firmado"
        "|Подписанная форма заявления|O formulário de pedido assinado"
        "|Formulir permohonan yang ditandatangani|İmzalı başvuru formu|Mẫu đơn đã ký"
        "|Гарын үсэг зурсан өргөдлийн маягт|署名済みの申請書|Das unterschriebene Antragsformular"
        "|हस्ताक्षरित आवेदन पत्र|Fomu ya maombi iliyotiwa saini"
    ),
    Item.SIGNATORY: (
        "Who signed the form|신청서 서명자|申请表签署人|من وقّع الاستمارة|Le signataire du formulaire"
        "|Quién firmó el formulario|Кто подписал форму|Quem assinou o formulário"
        "|Penanda tangan formulir|Formu kimin imzaladığı|Người ký đơn|Маягтад гарын үсэг зурсан хүн"
        "|申請書の署名者|Wer das Formular unterschrieben hat|पत्र पर किसने हस्ताक्षर किए"
        "|Aliyetia saini fomu"
    ),
    Item.CONTACT: (
        "A contact with name and e-mail address|담당자 이름과 이메일 주소|联系人姓名和电子邮件地址"
        "|جهة اتصال بالاسم والبريد الإلكتروني|Un contact avec nom et adresse électronique"
        "|Un contacto con nombre y correo electrónico|Контактное лицо с именем и электронной почтой"
        "|Um contacto com nome e endereço eletrónico|Narahubung dengan nama dan alamat surel"
        "|Adı ve e-posta adresiyle bir irtibat kişisi|Người liên hệ với tên và địa chỉ email"
        "|Нэр, цахим шуудангийн хаягтай холбоо барих хүн|担当者の氏名とメールアドレス"
        "|Eine Ansprechperson mit Name und E-Mail-Adresse|नाम और ई-मेल पते के साथ संपर्क व्यक्ति"
        "|Mtu wa kuwasiliana naye, jina na barua pepe"
    ),
    Item.MOTIVATION: (
        "The motivation|가입 동기|申请理由|دوافع الانضمام|La motivation|La motivación|Мотивация"
        "|A motivação|Alasan bergabung|Başvuru gerekçesi|Lý do gia nhập|Элсэх шалтгаан|加入の動機"
        "|Die Begründung des Beitritts|शामिल होने का कारण|Sababu ya kujiunga"
    ),
    Item.CITY_FACTS: (
        "The facts of the city|도시 기본 정보|城市基本信息|بيانات المدينة|Les données de la ville"
        "|Los datos de la ciudad|Сведения о городе|Os dados da cidade|Data kota|Şehrin bilgileri"
        "|Thông tin về thành phố|Хотын мэдээлэл|都市の基本情報|Die Angaben zur Stadt|शहर के तथ्य"
        "|Taarifa za jiji"
    ),
    Item.OFFICIAL_LETTER: (
        "An official letter, if asked for|요청된 경우 공문|公函（如有要求）|خطاب رسمي عند الطلب"
        "|Une lettre officielle, si elle est demandée|Una carta oficial, si se pide"
        "|Официальное письмо, если запрошено|Uma carta oficial, se for pedida"
        "|Surat resmi, jika diminta|İstenirse resmî bir yazı|Công văn chính thức, nếu được yêu cầu"
        "|Шаардсан тохиолдолд албан бичиг|求められた場合は公文書"
        "|Ein amtliches Schreiben, wenn es verlangt wird|माँगे जाने पर आधिकारिक पत्र"
        "|Barua rasmi, ikiombwa"
    ),
}
