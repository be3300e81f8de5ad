"""The words of the fixed vocabularies of practices, in every language of the hub: themes by edition, and the
SDGs.

The codes are those of `practices.cases.facts` (award categories of 2012/14, 2017 and 2020) and the numbers of the
seventeen Sustainable Development Goals; the labels are short and in our own words.
"""

# ruff: noqa: E501  # one language, one line

from __future__ import annotations

from collections.abc import Iterator

from practices.cases.facts import THEMES, Stage
from practices.cases.models import EvidenceLevel

# Categories that return in a later edition keep their words.
_KINDS = (
    "services", "efficiency", "open-city", "urban-management", "digital-divide", "e-government-service",
    "digital-inclusion", "innovative-smart-city", "sustainable-city", "cooperative-city", "efficient-government",
    "emerging-technology", "mobility", "open-inclusive-city", "safe-city",
)  # fmt: skip

_THEMES = {
    "en": "Services|Efficiency|Open city|Urban management|Digital divide|E-government service|Digital inclusion|Innovative smart city|Sustainable city|Cooperative city|Efficient government|Emerging technology|Mobility|Open and inclusive city|Safe city",
    "ko": "행정 서비스|효율성|열린 도시|도시 관리|정보 격차 해소|전자정부 서비스|디지털 포용|혁신 스마트시티|지속가능한 도시|협력 도시|효율적인 정부|신기술|모빌리티|열린 포용 도시|안전한 도시",
    "zh-Hans": "公共服务|效率|开放城市|城市管理|数字鸿沟|电子政务服务|数字包容|创新智慧城市|可持续城市|合作城市|高效政府|新兴技术|出行|开放包容城市|安全城市",
    "ar": "الخدمات|الكفاءة|المدينة المنفتحة|الإدارة الحضرية|الفجوة الرقمية|خدمات الحكومة الإلكترونية|الشمول الرقمي|المدينة الذكية المبتكرة|المدينة المستدامة|المدينة المتعاونة|الحكومة الكفؤة|التقنيات الناشئة|التنقل|المدينة المنفتحة والشاملة|المدينة الآمنة",
    "fr": "Services|Efficacité|Ville ouverte|Gestion urbaine|Fracture numérique|Service d’administration en ligne|Inclusion numérique|Ville intelligente et innovante|Ville durable|Ville coopérative|Administration efficace|Technologies émergentes|Mobilité|Ville ouverte et inclusive|Ville sûre",
    "es": "Servicios|Eficiencia|Ciudad abierta|Gestión urbana|Brecha digital|Servicio de gobierno electrónico|Inclusión digital|Ciudad inteligente e innovadora|Ciudad sostenible|Ciudad cooperativa|Gobierno eficiente|Tecnologías emergentes|Movilidad|Ciudad abierta e inclusiva|Ciudad segura",
    "ru": "Услуги|Эффективность|Открытый город|Управление городом|Цифровой разрыв|Услуги электронного правительства|Цифровая инклюзия|Инновационный умный город|Устойчивый город|Город сотрудничества|Эффективное управление|Новые технологии|Мобильность|Открытый и инклюзивный город|Безопасный город",
    "pt": "Serviços|Eficiência|Cidade aberta|Gestão urbana|Exclusão digital|Serviço de governo eletrônico|Inclusão digital|Cidade inteligente e inovadora|Cidade sustentável|Cidade cooperativa|Governo eficiente|Tecnologias emergentes|Mobilidade|Cidade aberta e inclusiva|Cidade segura",
    "id": "Layanan|Efisiensi|Kota terbuka|Pengelolaan kota|Kesenjangan digital|Layanan pemerintahan elektronik|Inklusi digital|Kota cerdas inovatif|Kota berkelanjutan|Kota kooperatif|Pemerintahan efisien|Teknologi baru|Mobilitas|Kota terbuka dan inklusif|Kota aman",
    "tr": "Hizmetler|Verimlilik|Açık kent|Kent yönetimi|Dijital uçurum|E-devlet hizmeti|Dijital kapsayıcılık|Yenilikçi akıllı kent|Sürdürülebilir kent|İş birliği yapan kent|Verimli yönetim|Gelişen teknolojiler|Hareketlilik|Açık ve kapsayıcı kent|Güvenli kent",
    "vi": "Dịch vụ|Hiệu quả|Thành phố mở|Quản lý đô thị|Khoảng cách số|Dịch vụ chính quyền điện tử|Hòa nhập số|Thành phố thông minh sáng tạo|Thành phố bền vững|Thành phố hợp tác|Chính quyền hiệu quả|Công nghệ mới nổi|Di chuyển|Thành phố mở và bao trùm|Thành phố an toàn",
    "mn": "Үйлчилгээ|Үр ашиг|Нээлттэй хот|Хотын удирдлага|Дижитал ялгаа|Цахим засгийн үйлчилгээ|Дижитал оролцоо|Шинэлэг ухаалаг хот|Тогтвортой хот|Хамтын ажиллагаатай хот|Үр ашигтай засаглал|Шинэ технологи|Зорчих хөдөлгөөн|Нээлттэй, хүртээмжтэй хот|Аюулгүй хот",
    "ja": "行政サービス|効率性|開かれた都市|都市経営|情報格差|電子政府サービス|デジタル包摂|革新的スマートシティ|持続可能な都市|協力する都市|効率的な行政|先端技術|モビリティ|開かれた包摂的な都市|安全な都市",
    "de": "Dienste|Effizienz|Offene Stadt|Stadtmanagement|Digitale Kluft|E-Government-Dienst|Digitale Teilhabe|Innovative intelligente Stadt|Nachhaltige Stadt|Kooperative Stadt|Effiziente Verwaltung|Neue Technologien|Mobilität|Offene und inklusive Stadt|Sichere Stadt",
    "hi": "सेवाएँ|दक्षता|खुला शहर|शहरी प्रबंधन|डिजिटल विभाजन|ई-शासन सेवा|डिजिटल समावेशन|नवाचारी स्मार्ट शहर|टिकाऊ शहर|सहयोगी शहर|कुशल शासन|उभरती प्रौद्योगिकी|आवागमन|खुला और समावेशी शहर|सुरक्षित शहर",
    "sw": "Huduma|Ufanisi|Jiji lililo wazi|Usimamizi wa jiji|Pengo la kidijitali|Huduma ya serikali mtandao|Ujumuishaji wa kidijitali|Jiji bunifu na mahiri|Jiji endelevu|Jiji lenye ushirikiano|Serikali yenye ufanisi|Teknolojia zinazoibuka|Usafiri|Jiji wazi na jumuishi|Jiji salama",
}

_GOALS = {
    "en": "Ending poverty|Ending hunger|Health and well-being|Good education|Gender equality|Clean water and sanitation|Affordable clean energy|Decent work and growth|Industry, innovation, infrastructure|Less inequality|Sustainable cities|Responsible consumption and production|Climate action|Life in the sea|Life on land|Peace, justice, strong institutions|Partnerships for the goals",
    "ko": "빈곤 퇴치|기아 종식|건강과 웰빙|양질의 교육|성평등|깨끗한 물과 위생|모두를 위한 청정에너지|좋은 일자리와 성장|산업, 혁신, 인프라|불평등 완화|지속가능한 도시|책임 있는 소비와 생산|기후 행동|해양 생태계|육상 생태계|평화, 정의, 튼튼한 제도|목표를 위한 협력",
    "zh-Hans": "消除贫困|消除饥饿|健康与福祉|优质教育|性别平等|清洁饮水和卫生设施|经济适用的清洁能源|体面工作与增长|产业、创新、基础设施|减少不平等|可持续城市|负责任的消费和生产|气候行动|海洋生命|陆地生命|和平、正义与健全的机构|实现目标的伙伴关系",
    "ar": "القضاء على الفقر|القضاء على الجوع|الصحة والرفاه|تعليم جيد|المساواة بين الجنسين|مياه نظيفة وصرف صحي|طاقة نظيفة بأسعار معقولة|عمل لائق ونمو|صناعة وابتكار وبنية تحتية|تقليل أوجه عدم المساواة|مدن مستدامة|استهلاك وإنتاج مسؤولان|العمل المناخي|الحياة في البحار|الحياة على اليابسة|سلام وعدالة ومؤسسات قوية|شراكات لتحقيق الأهداف",
    "fr": "Fin de la pauvreté|Fin de la faim|Santé et bien-être|Éducation de qualité|Égalité des sexes|Eau propre et assainissement|Énergie propre et abordable|Travail décent et croissance|Industrie, innovation, infrastructures|Moins d’inégalités|Villes durables|Consommation et production responsables|Action pour le climat|Vie marine|Vie terrestre|Paix, justice, institutions solides|Partenariats pour les objectifs",
    "es": "Fin de la pobreza|Fin del hambre|Salud y bienestar|Educación de calidad|Igualdad de género|Agua limpia y saneamiento|Energía limpia y asequible|Trabajo decente y crecimiento|Industria, innovación, infraestructura|Menos desigualdad|Ciudades sostenibles|Consumo y producción responsables|Acción por el clima|Vida marina|Vida terrestre|Paz, justicia, instituciones sólidas|Alianzas para los objetivos",
    "ru": "Искоренение бедности|Искоренение голода|Здоровье и благополучие|Качественное образование|Гендерное равенство|Чистая вода и санитария|Доступная чистая энергия|Достойный труд и рост|Промышленность, инновации, инфраструктура|Меньше неравенства|Устойчивые города|Ответственное потребление и производство|Действия по климату|Жизнь в морях|Жизнь на суше|Мир, правосудие, прочные институты|Партнёрство ради целей",
    "pt": "Fim da pobreza|Fim da fome|Saúde e bem-estar|Educação de qualidade|Igualdade de gênero|Água limpa e saneamento|Energia limpa e acessível|Trabalho decente e crescimento|Indústria, inovação, infraestrutura|Menos desigualdade|Cidades sustentáveis|Consumo e produção responsáveis|Ação pelo clima|Vida no mar|Vida em terra|Paz, justiça, instituições fortes|Parcerias pelos objetivos",
    "id": "Mengakhiri kemiskinan|Mengakhiri kelaparan|Kesehatan dan kesejahteraan|Pendidikan bermutu|Kesetaraan gender|Air bersih dan sanitasi|Energi bersih dan terjangkau|Pekerjaan layak dan pertumbuhan|Industri, inovasi, infrastruktur|Mengurangi ketimpangan|Kota berkelanjutan|Konsumsi dan produksi bertanggung jawab|Aksi iklim|Kehidupan di laut|Kehidupan di darat|Perdamaian, keadilan, lembaga kuat|Kemitraan untuk tujuan",
    "tr": "Yoksulluğa son|Açlığa son|Sağlık ve esenlik|Nitelikli eğitim|Cinsiyet eşitliği|Temiz su ve sıhhi koşullar|Erişilebilir temiz enerji|İnsana yakışır iş ve büyüme|Sanayi, yenilik, altyapı|Daha az eşitsizlik|Sürdürülebilir kentler|Sorumlu tüketim ve üretim|İklim eylemi|Denizdeki yaşam|Karadaki yaşam|Barış, adalet, güçlü kurumlar|Amaçlar için ortaklıklar",
    "vi": "Xóa nghèo|Xóa đói|Sức khỏe và cuộc sống tốt|Giáo dục có chất lượng|Bình đẳng giới|Nước sạch và vệ sinh|Năng lượng sạch giá hợp lý|Việc làm tốt và tăng trưởng|Công nghiệp, đổi mới, hạ tầng|Giảm bất bình đẳng|Thành phố bền vững|Tiêu dùng và sản xuất có trách nhiệm|Hành động vì khí hậu|Sự sống dưới biển|Sự sống trên đất liền|Hòa bình, công lý, thể chế vững mạnh|Quan hệ đối tác vì các mục tiêu",
    "mn": "Ядуурлыг эцэслэх|Өлсгөлөнг эцэслэх|Эрүүл мэнд, сайн сайхан байдал|Чанартай боловсрол|Жендэрийн тэгш байдал|Цэвэр ус, ариун цэвэр|Хүртээмжтэй цэвэр эрчим хүч|Зохистой ажил, өсөлт|Аж үйлдвэр, инновац, дэд бүтэц|Тэгш бус байдлыг бууруулах|Тогтвортой хотууд|Хариуцлагатай хэрэглээ, үйлдвэрлэл|Уур амьсгалын төлөөх үйлдэл|Далай дахь амьдрал|Хуурай газрын амьдрал|Энх тайван, шударга ёс, хүчирхэг институц|Зорилгын төлөөх түншлэл",
    "ja": "貧困の解消|飢餓の解消|健康と福祉|質の高い教育|ジェンダー平等|きれいな水と衛生|手頃でクリーンなエネルギー|働きがいと成長|産業・革新・基盤整備|不平等の縮小|持続可能な都市|責任ある消費と生産|気候への行動|海の生命|陸の生命|平和・公正・強い制度|目標のための連携",
    "de": "Ende der Armut|Ende des Hungers|Gesundheit und Wohlergehen|Gute Bildung|Gleichstellung der Geschlechter|Sauberes Wasser und Sanitärversorgung|Bezahlbare saubere Energie|Gute Arbeit und Wachstum|Industrie, Innovation, Infrastruktur|Weniger Ungleichheit|Nachhaltige Städte|Verantwortungsvoller Konsum und Produktion|Klimaschutz|Leben im Meer|Leben an Land|Frieden, Gerechtigkeit, starke Institutionen|Partnerschaften für die Ziele",
    "hi": "गरीबी का अंत|भुखमरी का अंत|स्वास्थ्य और खुशहाली|अच्छी शिक्षा|लैंगिक समानता|स्वच्छ जल और स्वच्छता|सस्ती स्वच्छ ऊर्जा|अच्छा काम और विकास|उद्योग, नवाचार, बुनियादी ढाँचा|कम असमानता|टिकाऊ शहर|ज़िम्मेदार खपत और उत्पादन|जलवायु के लिए कदम|समुद्र में जीवन|धरती पर जीवन|शांति, न्याय, मज़बूत संस्थाएँ|लक्ष्यों के लिए साझेदारी",
    "sw": "Kumaliza umaskini|Kumaliza njaa|Afya na ustawi|Elimu bora|Usawa wa kijinsia|Maji safi na usafi wa mazingira|Nishati safi na nafuu|Kazi zenye staha na ukuaji|Viwanda, ubunifu, miundombinu|Kupunguza ukosefu wa usawa|Miji endelevu|Matumizi na uzalishaji wa kuwajibika|Hatua kwa tabianchi|Maisha ya baharini|Maisha ya nchi kavu|Amani, haki, taasisi imara|Ushirikiano kwa malengo",
}


_STAGES = {
    "en": "Pilot|Being introduced|In operation|Scaled up|Ended",
    "ko": "시범 운영|도입 중|운영 중|확대 시행|종료",
    "zh-Hans": "试点|实施中|运行中|已推广|已结束",
    "ar": "تجريبي|قيد التنفيذ|قيد التشغيل|موسّع|منتهٍ",
    "fr": "Pilote|En cours de mise en œuvre|En service|Déployé à grande échelle|Terminé",
    "es": "Piloto|En implantación|En funcionamiento|Ampliado|Finalizado",
    "ru": "Пилотный проект|Внедряется|Действует|Расширен|Завершён",
    "pt": "Piloto|Em implementação|Em funcionamento|Ampliado|Terminado",
    "id": "Uji coba|Sedang diterapkan|Beroperasi|Diperluas|Berakhir",
    "tr": "Pilot|Uygulanıyor|Yürürlükte|Yaygınlaştırıldı|Sona erdi",
    "vi": "Thí điểm|Đang triển khai|Đang vận hành|Đã nhân rộng|Đã kết thúc",
    "mn": "Туршилт|Хэрэгжүүлж байна|Ажиллаж байна|Өргөжүүлсэн|Дууссан",
    "ja": "試行|導入中|運用中|拡大実施|終了",
    "de": "Pilotprojekt|In Einführung|In Betrieb|Ausgeweitet|Beendet",
    "hi": "प्रायोगिक|लागू किया जा रहा है|संचालित|विस्तारित|समाप्त",
    "sw": "Majaribio|Inatekelezwa|Inafanya kazi|Imepanuliwa|Imekwisha",
}

_EVIDENCE = {
    "en": "Self-reported|Documented",
    "ko": "자체 보고|근거 자료 있음",
    "zh-Hans": "自行申报|有据可查",
    "ar": "مُبلَّغ ذاتيًا|موثَّق",
    "fr": "Déclaré par la ville|Documenté",
    "es": "Declarado por la ciudad|Documentado",
    "ru": "По сообщению города|Подтверждено источниками",
    "pt": "Declarado pela cidade|Documentado",
    "id": "Dilaporkan sendiri|Terdokumentasi",
    "tr": "Kent beyanı|Belgelenmiş",
    "vi": "Thành phố tự báo cáo|Có tài liệu dẫn chứng",
    "mn": "Хотын мэдээлэл|Баримттай",
    "ja": "都市による申告|裏付け資料あり",
    "de": "Eigene Angabe|Belegt",
    "hi": "स्वयं सूचित|प्रलेखित",
    "sw": "Imeripotiwa na jiji lenyewe|Ina vyanzo",
}


def terms() -> Iterator[tuple[str, str, int, dict[str, str]]]:
    """(scheme, code, position, label by locale) of every theme, goal, stage and level of
    evidence."""
    kinds = {locale: dict(zip(_KINDS, labels.split("|"), strict=True)) for locale, labels in _THEMES.items()}
    for position, code in enumerate(THEMES):
        kind = code.partition(".")[2]
        yield "theme", code, position, {locale: labels[kind] for locale, labels in kinds.items()}
    goals = {locale: labels.split("|") for locale, labels in _GOALS.items()}
    for goal in range(1, 18):
        yield "sdg", str(goal), goal, {locale: labels[goal - 1] for locale, labels in goals.items()}
    for scheme, codes, words in (("stage", Stage, _STAGES), ("evidence", EvidenceLevel, _EVIDENCE)):
        listed = {locale: labels.split("|") for locale, labels in words.items()}
        for position, code in enumerate(codes):
            yield scheme, str(code), position, {locale: labels[position] for locale, labels in listed.items()}
