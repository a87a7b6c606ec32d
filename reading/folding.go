package reading

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// folded is a text in the form in which words are looked up: lower case,
// simplified characters, half-width, plain quotes, no invisible characters.
type folded struct {
	runes []rune
	at    []int // at[i] is the rune offset in the original text of runes[i]
}

// fold reads at most MaxRunes runes of text. An invalid byte counts as one
// rune, as it does in []rune(text).
func fold(text string) folded {
	size := min(len(text), MaxRunes)
	f := folded{runes: make([]rune, 0, size), at: make([]int, 0, size)}
	i := 0
	for _, r := range text {
		if i == MaxRunes {
			break
		}
		f.add(r, i)
		i++
	}
	return f
}

func (f *folded) add(r rune, at int) {
	switch {
	case r < utf8.RuneSelf:
		if r < ' ' && r != '\n' || r == 0x7f {
			r = ' '
		}
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
	case unicode.Is(unicode.Han, r):
		if s, ok := simplified[r]; ok {
			r = s
		}
	case punctuation[r] != 0:
		r = punctuation[r]
	case unicode.In(r, unicode.Cf, unicode.Mn): // zero-width, variation selectors, accents on their own
		return
	default:
		for _, k := range norm.NFKC.String(string(r)) {
			if unicode.IsControl(k) {
				k = ' '
			}
			f.runes = append(f.runes, unicode.ToLower(k))
			f.at = append(f.at, at)
		}
		return
	}
	f.runes = append(f.runes, r)
	f.at = append(f.at, at)
}

// span turns [start, end) of the folded text into a span of the original.
func (f *folded) span(start, end int) Span {
	return Span{f.at[start], f.at[end-1] + 1}
}

// punctuation maps quotes to one plain form each and ideographic marks that
// NFKC leaves alone.
var punctuation = map[rune]rune{
	'‘': '\'', '’': '\'', 'ʼ': '\'', '`': '\'',
	'“': '“', '”': '”', '「': '“', '」': '”', '『': '“', '』': '”', '《': '“', '》': '”',
	'。': '.', '、': '、', '…': '.', '—': ',', '–': '-', '～': ',', '·': ' ', '•': ',',
}

// simplified maps the traditional characters that complaints use; a character
// that is missing only makes its word unknown.
var simplified = pairs(`
門门話话樓楼個个請请點点電电櫃柜擺摆們们係系來来沒没過过會会給给機机間间週周兩两裡里裏里開开寫写貨货鐘钟這这簽签號号頭头
丟丢說说員员訊讯煩烦衛卫隻只親亲當当單单學学揀拣託托師师鈴铃貼贴張张時时從从還还進进別别講讲拋抛證证邊边處处嗎吗費费該该買买
換换紙纸禮礼應应廳厅簡简認认車车碼码輪轮區区對对聽听鏡镜閘闸診诊膠胶幫帮鐵铁務务憑凭經经問问歲岁難难長长騎骑凍冻無无視视剛刚
現现氣气貓猫讓让專专連连紅红訂订業业識识變变掛挂圍围牆墙顯显舖铺鋪铺餅饼戶户為为爲为幾几見见錢钱動动場场關关順顺態态養养輕轻護护
謝谢誰谁術术隊队鮮鲜溫温齊齐惡恶數数結结疊叠壺壶響响記记帳帐絆绊壓压監监補补顧顾靈灵遠远婦妇縫缝裝装錄录島岛達达籬篱總总幹干
滿满擱搁臟脏髒脏藥药陽阳緊紧襪袜廈厦闆板運运領领議议攤摊頂顶轉转漿浆層层媽妈內内側侧銷销遞递壞坏儀仪組组涼凉聲声倉仓執执興兴
歡欢計计報报稅税爐炉熱热湯汤繳缴辦办醫医賠赔實实釘钉臺台檯台灣湾黃黄嚇吓兇凶豐丰謂谓環环條条馬马鄰邻檢检舉举罵骂題题離离藝艺
種种嚴严確确繞绕儲储郵邮掃扫棟栋鎖锁覺觉橋桥狀状圖图書书館馆傳传與与爾尔於于後后從从樣样復复複复雜杂錯错誤误損损傷伤貴贵賣卖價价
預预約约訪访調调設设許许評评詞词試试譯译讀读豬猪貝贝負负責责貪贪貫贯貿贸賀贺資资賬账質质購购贈赠趕赶跡迹蹤踪躍跃軟软較较載载輔辅
輛辆輸输辭辞遲迟適适遺遗選选郷乡鄉乡醬酱釋释銀银銅铜鍵键鎮镇閉闭閃闪閱阅闊阔陰阴陸陆隨随險险隱隐雖虽雙双雞鸡霧雾靜静韓韩頁页項项
須须頓顿頻频顆颗願愿類类風风飛飞飯饭飲饮餐餐餘余驗验驚惊髮发發发鬆松鬧闹魚鱼鳥鸟麗丽麥麦麵面齒齿龍龙龜龟亞亚億亿僅仅價价優优
兒儿冊册況况凈净減减創创劃划劇剧勁劲勞劳勢势勵励勸劝匯汇協协卻却廁厕厭厌參参吳吴員员嘆叹噁恶噴喷嚐尝國国園园圓圆團团堅坚墊垫壽寿
夠够夢梦奪夺奮奋妝妆姪侄娛娱孫孙宮宫寧宁審审寬宽寶宝將将尋寻導导屆届屬属帶带幣币廠厂廣广廢废張张彈弹彎弯後后徑径徹彻恆恒悅悦悶闷
惱恼愛爱慘惨慣惯慮虑憂忧懇恳懷怀懶懒戰战戲戏捨舍掙挣採采揚扬損损搖摇搶抢撐撑撥拨撿捡擋挡擔担據据擠挤擬拟擺摆擾扰攔拦攜携攝摄敗败
敵敌斷断暈晕暫暂曬晒曉晓東东棄弃榮荣樂乐橫横櫥橱欄栏權权歷历歸归殘残殺杀毀毁決决沖冲淚泪淨净渾浑測测準准溝沟滅灭滾滚漲涨潔洁潤润
濕湿濟济瀏浏灑洒災灾爛烂爭争爺爷牽牵獨独獎奖獲获瑪玛瑣琐産产產产畫画異异瘋疯療疗癢痒皺皱盜盗盡尽盤盘睏困瞭了礙碍禍祸稱称穩稳窩窝
筆笔節节範范築筑籃篮糧粮約约級级純纯紗纱細细終终絡络統统絕绝維维網网緣缘線线編编緩缓練练縣县績绩繩绳繼继續续纏缠罰罚羅罗職职聯联
腦脑腳脚膽胆臉脸舊旧艙舱蓋盖蘋苹虧亏蟲虫衝冲裡里襯衬規规觸触訴诉詢询詳详誇夸語语誠诚課课論论謊谎譽誉豎竖財财貢贡貸贷賓宾賞赏
賤贱賴赖贏赢跤跤踐践軍军軌轨農农迴回遊游遙遥鄭郑針针鈔钞鋼钢錶表鍋锅鏈链鑰钥閣阁隔隔電电韌韧頸颈飄飘駁驳駕驾騙骗驛驿鬍胡魯鲁
鴿鸽鹽盐黨党鼕冬牠它妳你祂他喺喺攞攞啱啱冇冇嘢嘢咗咗囉啰囑嘱甚什麼么吶呐紮扎甦苏閒闲佈布週周傢家俬私啟启嬰婴戀恋盃杯碰碰稜棱
`)

func pairs(s string) map[rune]rune {
	runes := []rune(strings.Join(strings.Fields(s), ""))
	m := make(map[rune]rune, len(runes)/2)
	for i := 0; i+1 < len(runes); i += 2 {
		if runes[i] != runes[i+1] {
			m[runes[i]] = runes[i+1]
		}
	}
	return m
}
